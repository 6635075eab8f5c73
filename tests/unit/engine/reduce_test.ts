import assert from "node:assert/strict";
import type { Event } from "../../../src/engine/event.ts";
import { reduce, replay } from "../../../src/engine/reduce.ts";
import { outline, runFinished, runStarted, START_MS as at } from "../../support/events.ts";

const started = runStarted("r1", {
  steps: [outline("a"), outline("b", { needs: ["a"], group: "g" }), outline("h", { hook: "exit" })],
});

const ATTEMPT: readonly Event[] = [
  started,
  { type: "step.started", at: at + 1, step: "a", key: "k1" },
  { type: "attempt.started", at: at + 2, step: "a", attempt: 1 },
  {
    type: "node.chosen",
    at: at + 3,
    step: "a",
    attempt: 1,
    node: "n1",
    score: 12,
    passedOver: [{ node: "n2", reason: "unreachable" }],
  },
  { type: "job.started", at: at + 4, step: "a", attempt: 1, node: "n1", job: "j1" },
  {
    type: "attempt.finished",
    at: at + 5,
    step: "a",
    attempt: 1,
    result: "failed",
    exitCode: 3,
    failure: { code: "exit", message: "exit code 3", started: true },
    retryInMs: 50,
  },
];

Deno.test("reduce() shows every announced step as pending", () => {
  const state = reduce(undefined, started);
  assert.equal(state.result, "running");
  assert.deepEqual([...state.steps.keys()], ["a", "b", "h"]);
  assert.deepEqual([...state.steps.values()].map(({ status }) => status), [
    "pending",
    "pending",
    "pending",
  ]);
  assert.deepEqual(
    [state.steps.get("b")?.needs, state.steps.get("b")?.group, state.steps.get("h")?.hook],
    [["a"], "g", "exit"],
  );
});

Deno.test("reduce() follows an attempt", () => {
  const step = replay(ATTEMPT)?.steps.get("a");
  assert.deepEqual([step?.status, step?.startedAt, step?.node, step?.key], [
    "running",
    at + 1,
    "n1",
    "k1",
  ]);
  assert.deepEqual(step?.attempts, [{
    attempt: 1,
    startedAt: at + 2,
    finishedAt: at + 5,
    // Journals of older Grids have the dates alone.
    afterMs: 2,
    durationMs: 3,
    result: "failed",
    node: "n1",
    nodeWaitMs: 2,
    score: 12,
    passedOver: [{ node: "n2", reason: "unreachable" }],
    job: "j1",
    exitCode: 3,
    failure: { code: "exit", message: "exit code 3", started: true },
    retryInMs: 50,
    syncs: [],
    fetches: [],
    batch: undefined,
  }]);
});

Deno.test("reduce() keeps what an attempt noted", () => {
  const sync: Event = {
    type: "sync.finished",
    at,
    step: "a",
    attempt: 1,
    node: "n1",
    folder: "/w",
    sent: 1,
    deleted: 0,
    total: 3,
    bytes: 9,
    durationMs: 4,
  };
  const fetch: Event = {
    type: "fetch.finished",
    at,
    step: "a",
    attempt: 1,
    node: "n1",
    folder: "/r",
    files: ["m.json"],
    bytes: 2,
  };
  const batch: Event = {
    type: "batch.progressed",
    at,
    step: "a",
    attempt: 1,
    done: 1,
    failed: 0,
    total: 4,
    mode: "embedded",
  };
  const attempt = replay([...ATTEMPT, sync, fetch, batch])?.steps.get("a")?.attempts[0];
  assert.deepEqual([attempt?.syncs, attempt?.fetches, attempt?.batch], [[sync], [fetch], batch]);
});

Deno.test("reduce() ends steps and the run", () => {
  const state = replay([
    ...ATTEMPT,
    { type: "step.finished", at: at + 9, step: "a", state: "failed", outputs: { x: 1 } },
    { type: "step.finished", at: at + 9, step: "b", state: "skipped", reason: "why", outputs: {} },
    runFinished({ state: "failed", exitCode: 1, firstFailure: "a", at: at + 10 }),
  ]);
  assert.deepEqual(
    [state?.result, state?.exitCode, state?.firstFailure, state?.finishedAt],
    ["failed", 1, "a", at + 10],
  );
  assert.deepEqual(state?.steps.get("a")?.outputs, { x: 1 });
  assert.equal(state?.steps.get("b")?.reason, "why");
});

Deno.test("reduce() takes the node of a reused step from the run that it comes from", () => {
  const state = replay([started, {
    type: "step.finished",
    at,
    step: "a",
    state: "reused",
    outputs: {},
    key: "k",
    reusedFrom: { run: "r0", node: "n9" },
  }]);
  const step = state?.steps.get("a");
  assert.deepEqual([step?.node, step?.key, step?.reusedFrom?.run], ["n9", "k", "r0"]);
});

Deno.test("reduce() collects warnings with the step they are about", () => {
  const state = replay([
    started,
    { type: "warned", at, message: "one" },
    { type: "warned", at, step: "a", message: "two" },
  ]);
  assert.deepEqual(state?.warnings, ["one", "a: two"]);
});

Deno.test("reduce() leaves the state it was given as it was", () => {
  const before = replay(ATTEMPT.slice(0, 3));
  const copy = structuredClone([...before?.steps ?? []]);
  for (const event of ATTEMPT.slice(3)) {
    assert.ok(before);
    if (event.type !== "attempt.finished") reduce(before, event);
  }
  assert.deepEqual([...before?.steps ?? []], copy);
});

Deno.test("reduce() calls events that cannot come now a bug", () => {
  const orphan: Event = { type: "step.started", at, step: "a" };
  assert.throws(() => reduce(undefined, orphan), { code: "bug" });
  const state = reduce(undefined, started);
  assert.throws(() => reduce(state, started), { code: "bug" });
  assert.throws(() => reduce(state, { ...orphan, step: "ghost" }), { message: /"ghost"/ });
  const early: Event = { type: "job.started", at, step: "a", attempt: 1, node: "n", job: "j" };
  assert.throws(() => reduce(state, early), { code: "bug" });
});

Deno.test("replay() of nothing is nothing", () => assert.equal(replay([]), undefined));
