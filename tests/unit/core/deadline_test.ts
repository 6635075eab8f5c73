import assert from "node:assert/strict";
import { raceAbort, withDeadline } from "../../../src/core/deadline.ts";
import { GridError } from "../../../src/core/errors.ts";

const tooLate = () => new GridError({ code: "timed-out", message: "too late" });

Deno.test("withDeadline() gives back what the work gives", async () => {
  assert.equal(await withDeadline(() => Promise.resolve(7), { ms: 60_000, error: tooLate }), 7);
});

Deno.test("withDeadline() passes on what the work throws", async () => {
  const work = () => Promise.reject(new Error("broken"));
  await assert.rejects(withDeadline(work, { ms: 60_000, error: tooLate }), /broken/);
});

Deno.test("withDeadline() ends at the deadline even if the work ignores its signal", async () => {
  let seen: AbortSignal | undefined;
  const work = (signal: AbortSignal) => {
    seen = signal;
    return new Promise<void>(() => {});
  };
  await assert.rejects(withDeadline(work, { ms: 1, error: tooLate }), { code: "timed-out" });
  assert.ok(seen?.aborted);
});

Deno.test("withDeadline() hands the caller's wish to stop to the work", async () => {
  const stop = new AbortController();
  const work = (signal: AbortSignal) => raceAbort(new Promise<void>(() => {}), signal);
  const running = withDeadline(work, { ms: 60_000, error: tooLate, signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(running, /enough/);
});

Deno.test("withDeadline() does not begin when the caller has stopped already", async () => {
  let begun = false;
  const work = () => {
    begun = true;
    return Promise.resolve();
  };
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(withDeadline(work, { ms: 60_000, error: tooLate, signal }), /enough/);
  assert.equal(begun, false);
});

Deno.test("raceAbort() settles like the work when that comes first", async () => {
  const stop = new AbortController();
  assert.equal(await raceAbort(Promise.resolve("done"), stop.signal), "done");
  stop.abort();
});

Deno.test("withDeadline() counts no time in which the work had to wait for its turn", async () => {
  let queuedMs = 0;
  const work = async () => {
    await new Promise((resolve) => setTimeout(resolve, 60));
    return "done";
  };
  const options = { ms: 20, error: tooLate, queuedMs: () => queuedMs };
  await assert.rejects(withDeadline(work, options), { code: "timed-out" });
  queuedMs = 60_000;
  assert.equal(await withDeadline(work, options), "done");
});
