import assert from "node:assert/strict";
import fc from "fast-check";
import { type LineGpu, type LineWish, turnOf } from "../../../src/cluster/line.ts";

function gpus(...freeInMs: readonly number[]): LineGpu[] {
  return freeInMs.map((ms, index) => ({ key: `g${index}`, freeInMs: ms }));
}

function wish(count: number, lastsMs?: number, fits: LineWish["fits"] = () => true): LineWish {
  return { gpus: count, lastsMs, fits };
}

const NEVER = Number.POSITIVE_INFINITY;

Deno.test("nobody before: what is free is there for the taking", () => {
  const turn = turnOf(wish(1), { gpus: gpus(0, NEVER), before: [] });
  assert.deepEqual(turn, { now: ["g0"], before: 0, startsInMs: 0 });
});

Deno.test("a large wish collects what becomes free, small ones behind it wait", () => {
  const turn = turnOf(wish(1), { gpus: gpus(0, NEVER), before: [wish(2)] });
  assert.deepEqual(turn, { now: [], before: 1, startsInMs: undefined });
});

Deno.test("a small one goes first where it is over before the large one could start", () => {
  const before = [wish(2, 60_000)];
  assert.deepEqual(turnOf(wish(1, 5000), { gpus: gpus(0, 10_000), before }).now, ["g0"]);
  const longer = turnOf(wish(1, 15_000), { gpus: gpus(0, 10_000), before });
  assert.deepEqual(longer, { now: [], before: 1, startsInMs: 70_000 });
  assert.deepEqual(turnOf(wish(1), { gpus: gpus(0, 10_000), before }).now, []);
});

Deno.test("a gap before the large one is that one's who has waited longer for it", () => {
  const before = [wish(2, 60_000), wish(1, 5000)];
  const all = { gpus: gpus(0, 10_000), before };
  assert.deepEqual(turnOf(wish(1, 5000), all).now, []);
  // The older one goes at once, though the large one is before it.
  assert.equal(turnOf(wish(1, 5000), { ...all, before: before.slice(0, 1) }).startsInMs, 0);
  assert.deepEqual(
    turnOf(wish(1, 5000), { gpus: gpus(0, 0, 10_000), before: [wish(3, 60_000), wish(1, 5000)] })
      .now,
    [
      "g1",
    ],
  );
});

Deno.test("what the large one does not need is free for all", () => {
  assert.deepEqual(turnOf(wish(1), { gpus: gpus(0, 0, 0), before: [wish(2)] }).now, ["g2"]);
  const isFirst: LineWish["fits"] = ({ key }) => key === "g0";
  assert.deepEqual(turnOf(wish(1), { gpus: gpus(0, 0), before: [wish(1, 1, isFirst)] }).now, [
    "g1",
  ]);
});

Deno.test("what a node can never give holds nobody up", () => {
  const turn = turnOf(wish(1), { gpus: gpus(0, NEVER), before: [wish(3)] });
  assert.deepEqual(turn, { now: ["g0"], before: 0, startsInMs: 0 });
});

const anyGpus = fc.array(fc.oneof(fc.constant(0), fc.nat(100), fc.constant(NEVER)), {
  minLength: 1,
  maxLength: 8,
}).map((all) => gpus(...all));
const anyWish = fc.record({
  gpus: fc.integer({ min: 1, max: 8 }),
  lastsMs: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
  mask: fc.integer({ min: 1, max: 255 }),
}).map(({ gpus, lastsMs, mask }): LineWish => ({
  gpus,
  lastsMs,
  fits: ({ key }) => (mask & (1 << Number(key.slice(1)))) !== 0,
}));

Deno.test("whoever goes first because it may delays nobody before it", () => {
  fc.assert(
    fc.property(anyGpus, fc.array(anyWish, { maxLength: 6 }), anyWish, fc.nat(7), (...any) => {
      const [all, before, own, shift] = any;
      const { now } = turnOf(own, { gpus: all, before });
      if (now.length < own.gpus) return;
      // Whichever of them the node gives.
      const from = shift % now.length;
      const taken = new Set([...now.slice(from), ...now.slice(0, from)].slice(0, own.gpus));
      const later = all.map((gpu) =>
        taken.has(gpu.key) ? { ...gpu, freeInMs: own.lastsMs ?? NEVER } : gpu
      );
      for (const [at, each] of before.entries()) {
        const ahead = before.slice(0, at);
        const without = turnOf(each, { gpus: all, before: ahead }).startsInMs ?? NEVER;
        const withOwn = turnOf(each, { gpus: later, before: ahead }).startsInMs ?? NEVER;
        assert.ok(withOwn <= without, `${at}: ${withOwn} instead of ${without}`);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("the first in line is held up by nobody, and takes only what is free and fits", () => {
  fc.assert(fc.property(anyGpus, anyWish, (all, own) => {
    const { now, before } = turnOf(own, { gpus: all, before: [] });
    assert.equal(before, 0);
    const free = all.filter((gpu) => gpu.freeInMs === 0 && own.fits(gpu)).map(({ key }) => key);
    assert.deepEqual(now, free);
  }));
});

Deno.test("a line that is served in turn comes to its end", () => {
  fc.assert(fc.property(anyGpus, fc.array(anyWish, { maxLength: 6 }), (all, wishes) => {
    const idle = all.map((gpu) => ({ ...gpu, freeInMs: 0 }));
    let line = wishes.filter((each) => idle.filter(each.fits).length >= each.gpus);
    for (let round = line.length; line.length > 0; round--) {
      assert.ok(round > 0, "nobody could go");
      const next = line.findIndex((each, at) =>
        turnOf(each, { gpus: idle, before: line.slice(0, at) }).now.length >= each.gpus
      );
      assert.equal(next, 0, "with all free it is the first one's turn");
      line = line.toSpliced(next, 1);
    }
  }));
});
