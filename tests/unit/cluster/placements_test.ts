import assert from "node:assert/strict";
import { Placements } from "../../../src/cluster/placements.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { node } from "./nodes.ts";

const a = node("a");
const b = node("b");

function setUp() {
  const clock = new FakeClock();
  return { clock, placements: new Placements({ clock, weights: { cpuWeight: 1, gpuWeight: 3 } }) };
}

function placed(
  holder: string,
  changes: { gpus?: number; group?: string; share?: boolean; keys?: readonly string[] } = {},
) {
  return { node: a, holder, gpus: 0, group: undefined, ...changes };
}

Deno.test("a placement counts at once, and half as much minute by minute", async () => {
  const { clock, placements } = setUp();
  const points = () => placements.points([a, b]).get(a);
  placements.add(placed("one s 1"));
  assert.equal(points(), 25);
  placements.add(placed("one t 1", { gpus: 1 }));
  assert.equal(points(), 100);
  await clock.advance(60_000);
  assert.equal(points(), 50);
  await clock.advance(11 * 60_000);
  assert.equal(points(), 0);
  assert.equal(placements.points([b]).get(b), 0);
});

Deno.test("a placement is gone when its work is over, and that of another stays", () => {
  const { placements } = setUp();
  for (const holder of ["one s 1", "one s 10", "one t 1", "two s 1"]) {
    placements.add(placed(holder));
  }
  assert.equal(placements.release("one s 1")?.holder, "one s 1");
  assert.equal(placements.release("one s 1"), undefined);
  assert.equal(placements.points([a]).get(a), 75, "s 10 is another one");
  assert.deepEqual(placements.holdersOf("one"), ["one s 10", "one t 1"]);
  assert.deepEqual([placements.countOn(a), placements.countOn(b)], [3, 0]);
});

Deno.test("GPUs given away are nobody else's, but not for their own group", () => {
  const { placements } = setUp();
  placements.add(placed("one s 1", { gpus: 2, group: "one.s", keys: ["GPU-0", "GPU-1"] }));
  const given = (group?: string) => [...placements.promisedGpus(a, { group })];
  assert.deepEqual(given(), ["GPU-0", "GPU-1"]);
  assert.equal(placements.promisedGpus(b, { group: undefined }).size, 0);
  assert.deepEqual(given("one.s"), []);
});

Deno.test("GPUs given to work that shares are nobody else's but for work that shares, too", () => {
  const { placements } = setUp();
  placements.add(placed("one s 1", { gpus: 1, group: "one.s", share: true, keys: ["GPU-0"] }));
  placements.add(placed("one t 1", { gpus: 1, group: "one.t", keys: ["GPU-1"] }));
  const given = (share: boolean) => [...placements.promisedGpus(a, { group: "one.u", share })];
  assert.deepEqual(given(true), ["GPU-1"]);
  assert.deepEqual(given(false), ["GPU-0", "GPU-1"]);
});
