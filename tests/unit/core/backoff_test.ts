import assert from "node:assert/strict";
import fc from "fast-check";
import { type BackoffPolicy, retryDelay } from "../../../src/core/backoff.ts";

const policies = fc.record<BackoffPolicy>({
  delayMs: fc.nat(1e9),
  maxDelayMs: fc.nat(1e9),
  backoff: fc.constantFrom("exponential", "linear", "constant"),
  jitter: fc.constantFrom("full", "none"),
});

Deno.test("retryDelay() doubles, adds or stays, up to the cap", () => {
  const delays = (backoff: BackoffPolicy["backoff"]) =>
    [1, 2, 3, 4, 5].map((retry) =>
      retryDelay({ delayMs: 100, maxDelayMs: 1000, backoff, jitter: "none" }, {
        retry,
        random: () => 0.5,
      })
    );
  assert.deepEqual(delays("exponential"), [100, 200, 400, 800, 1000]);
  assert.deepEqual(delays("linear"), [100, 200, 300, 400, 500]);
  assert.deepEqual(delays("constant"), [100, 100, 100, 100, 100]);
});

Deno.test("retryDelay() lies within [0, cap] for any policy, retry and chance", () => {
  fc.assert(fc.property(
    policies,
    fc.integer({ min: 1, max: 1_000_000 }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    (policy, retry, chance) => {
      const delay = retryDelay(policy, { retry, random: () => chance });
      assert.ok(Number.isInteger(delay) && delay >= 0 && delay <= policy.maxDelayMs, `${delay}`);
    },
  ));
});

Deno.test("retryDelay() without jitter never shrinks from one retry to the next", () => {
  fc.assert(fc.property(policies, fc.integer({ min: 1, max: 2000 }), (policy, retry) => {
    const steady: BackoffPolicy = { ...policy, jitter: "none" };
    const now = retryDelay(steady, { retry, random: () => 0 });
    assert.ok(retryDelay(steady, { retry: retry + 1, random: () => 0 }) >= now);
  }));
});

Deno.test("retryDelay() with full jitter has half the capped delay as its mean", () => {
  const random = seededRandom(42);
  const policy: BackoffPolicy = {
    delayMs: 1000,
    maxDelayMs: 60_000,
    backoff: "exponential",
    jitter: "full",
  };
  for (const [retry, capped] of [[1, 1000], [4, 8000], [9, 60_000]] as const) {
    const draws = Array.from({ length: 10_000 }, () => retryDelay(policy, { retry, random }));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    assert.ok(Math.abs(mean - capped / 2) < 0.02 * capped / 2, `retry ${retry}: mean ${mean}`);
  }
});

/** mulberry32, so that the test draws the same numbers every time. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
