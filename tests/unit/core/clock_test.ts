import assert from "node:assert/strict";
import { systemClock } from "../../../src/core/clock.ts";

Deno.test("systemClock sleeps at least as long as asked", async () => {
  const start = performance.now();
  await systemClock.sleep(20);
  // Timers may fire up to a millisecond early.
  assert.ok(performance.now() - start >= 19);
});

Deno.test("systemClock wakes at once when the signal fires, and leaves no timer", async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(60_000, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(sleeping, /enough/);
  await assert.rejects(systemClock.sleep(60_000, { signal: stop.signal }), /enough/);
});

Deno.test("systemClock can sleep longer than one timer lasts", async () => {
  const stop = new AbortController();
  let woke = false;
  const sleeping = systemClock.sleep(2 ** 31 + 1000, { signal: stop.signal })
    .then(() => woke = true);
  await systemClock.sleep(20);
  assert.equal(woke, false);
  stop.abort(new Error("enough"));
  await assert.rejects(sleeping, /enough/);
});
