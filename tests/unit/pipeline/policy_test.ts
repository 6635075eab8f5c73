import assert from "node:assert/strict";
import {
  DEFAULT_RETRY,
  DEFAULT_TIMEOUT,
  retryOf,
  timeoutOf,
} from "../../../src/pipeline/policy.ts";

Deno.test("timeoutOf() keeps the base where nothing is written", () => {
  assert.equal(timeoutOf(undefined, DEFAULT_TIMEOUT), DEFAULT_TIMEOUT);
});

Deno.test("timeoutOf() limits each attempt in its short form", () => {
  const base = { ...DEFAULT_TIMEOUT, totalMs: 1 };
  assert.deepEqual(timeoutOf("1h30m", base), { ...base, attemptMs: 5_400_000 });
});

Deno.test("timeoutOf() replaces only what a map names", () => {
  const base = { totalMs: 1, attemptMs: 2, idleMs: 3, killGraceMs: 4 };
  assert.deepEqual(timeoutOf({ idle: "20m", "kill-grace": "500ms" }, base), {
    totalMs: 1,
    attemptMs: 2,
    idleMs: 1_200_000,
    killGraceMs: 500,
  });
});

Deno.test("retryOf() does not cut a delay to a limit that nobody wrote", () => {
  assert.equal(retryOf({ delay: "5m" }, DEFAULT_RETRY).maxDelayMs, 300_000);
  assert.equal(retryOf({ delay: "5s" }, DEFAULT_RETRY).maxDelayMs, 60_000);
  assert.equal(retryOf({ delay: "5m", "max-delay": "2m" }, DEFAULT_RETRY).maxDelayMs, 120_000);
});

Deno.test("retryOf() is the number of retries in its short form, 0 included", () => {
  assert.equal(retryOf(0, DEFAULT_RETRY).max, 0);
  assert.deepEqual(retryOf(5, DEFAULT_RETRY), { ...DEFAULT_RETRY, max: 5 });
});

Deno.test("retryOf() replaces only what a map names", () => {
  const policy = retryOf(
    { "on": "exit:75", "delay": "100ms", "max-delay": "2s", "jitter": "none", "avoid-node": true },
    DEFAULT_RETRY,
  );
  assert.deepEqual(policy, {
    max: 2,
    on: ["exit:75"],
    delayMs: 100,
    maxDelayMs: 2000,
    backoff: "exponential",
    jitter: "none",
    avoidNode: true,
  });
});
