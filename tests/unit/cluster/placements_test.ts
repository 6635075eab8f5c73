import assert from "node:assert/strict";
import { Placements } from "../../../src/cluster/placements.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { gpu, MemoryCache, node } from "./nodes.ts";

const a = node("a");
const b = node("b");

function setUp() {
  const cache = new MemoryCache();
  const clock = new FakeClock();
  /** Another process of the same project. */
  const open = () => new Placements({ cache, clock, weights: { cpuWeight: 1, gpuWeight: 3 } });
  return { cache, clock, open, placements: open() };
}

function placed(holder: string, changes: { gpus?: number; group?: string } = {}) {
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

Deno.test("a placement is gone when its work is over, and with the run all of its own", async () => {
  const { clock, open, placements } = setUp();
  const other = open();
  other.add(placed("other s 1"));
  for (const holder of ["one s 1", "one s 10", "one t 1"]) placements.add(placed(holder));
  placements.release("one s 1");
  assert.equal(placements.points([a]).get(a), 75, "s 10 is another one");
  placements.releaseAll("one");
  assert.equal(placements.points([a]).get(a), 25, "that of the other process stays");
  await clock.advance(200);
  assert.ok((other.points([a]).get(a) ?? 0) <= 25);
});

Deno.test("other processes hear of a burst as it goes on, and of its end at once", async () => {
  const { clock, open, placements } = setUp();
  const other = open();
  placements.add(placed("one s 1"));
  assert.equal(other.points([a]).get(a), 25);
  for (const step of ["t", "u", "v"]) placements.add(placed(`one ${step} 1`));
  await clock.advance(200);
  assert.equal(Math.round(placements.points([a]).get(a) ?? 0), 100);
  assert.equal(Math.round(other.points([a]).get(a) ?? 0), 100);
  placements.releaseAll("one");
  await clock.advance(200);
  assert.equal(other.points([a]).get(a), 0);
});

Deno.test("GPUs given away count until their claim can be seen, but not for their own group", () => {
  const { placements } = setUp();
  placements.add(placed("one s 1", { gpus: 2, group: "one.s" }));
  const gpus = [gpu(0), gpu(1), gpu(2)];
  assert.equal(placements.promisedGpus(a, gpus), 2);
  assert.equal(placements.promisedGpus(b, gpus), 0);
  assert.equal(placements.promisedGpus(a, gpus, "one.s"), 0);
  const leases = [{ group: "one.s", holder: "ada" }];
  assert.equal(placements.promisedGpus(a, [gpu(0, { leases }), gpu(1), gpu(2)]), 0);
});

Deno.test("what another version or a clock of the future left behind counts for nothing", async () => {
  const { cache, clock, placements } = setUp();
  placements.add(placed("one s 1"));
  const [key] = cache.rows.keys();
  assert.ok(key !== undefined);
  placements.release("one s 1");
  const ahead = { owner: "x", at: clock.now() + 60_000, points: 25 };
  for (const json of ["{", '{"points": 25}', JSON.stringify({ placed: [ahead, 1, {}] })]) {
    await clock.advance(200);
    cache.rows.set(key, { at: clock.now(), json });
    assert.equal(placements.points([a]).get(a), 0, json);
  }
});
