import assert from "node:assert/strict";
import type { Event } from "../../../../src/engine/event.ts";
import { reduce, type RunState } from "../../../../src/engine/reduce.ts";
import { lineOf, ProgressFilter } from "../../../../src/terminal/run/event_lines.ts";
import { failedRun, START, succeededRun } from "../../../support/sample_runs.ts";

function linesOf(events: readonly Event[]): string[] {
  let state: RunState | undefined;
  return events.flatMap((event) => {
    state = reduce(state, event);
    const line = lineOf(event, state);
    return line ? [`${line.tone} ${line.step ?? "-"}: ${line.text}`] : [];
  });
}

Deno.test("lineOf() gives good, bad and odd news their tone", () => {
  const lines = linesOf([...failedRun()]);
  assert.ok(lines.includes("good code: succeeded in 450ms"));
  assert.ok(lines.includes("bad train: failed in 9.0s: exit code 3"));
  assert.ok(lines.includes("plain score: skipped: needs train, which failed"));
  assert.ok(
    linesOf(succeededRun()).some((line) => line.startsWith("warn train: attempt 1 failed")),
  );
});

Deno.test("lineOf() says once where a command started, and which attempt a later one is", () => {
  const lines = linesOf(succeededRun()).filter((line) => / train: .*started/.test(line));
  assert.deepEqual(lines, [
    "plain train: started on gpu1",
    "plain train: attempt 2 started on gpu1",
  ]);
});

Deno.test("lineOf() is silent about hooks whose moment did not come", () => {
  assert.equal(linesOf(succeededRun()).some((line) => line.includes("notify")), false);
});

Deno.test("lineOf() tells which run is resumed", () => {
  const [started] = succeededRun();
  assert.ok(started?.type === "run.started");
  assert.deepEqual(linesOf([{ ...started, resumes: "r0" }]), [
    "plain -: run 20260131-120000-x7k2 of train: 5 steps, 1 hook, resumes r0",
  ]);
});

Deno.test("ProgressFilter tells a batch of any size in about ten lines, the end always", () => {
  const filter = new ProgressFilter();
  const told = Array.from({ length: 5001 }, (_, done) => done).filter((done) =>
    filter.isNews({
      type: "batch.progressed",
      at: START,
      step: "score",
      attempt: 1,
      done,
      failed: 0,
      total: 5000,
      mode: "managed",
    })
  );
  assert.ok(told.length <= 12, told.join(" "));
  assert.equal(told[0], 1);
  assert.equal(told.at(-1), 5000);
});

Deno.test("lineOf() tells once what stands in the way of many, in whatever order they end", () => {
  const [started] = succeededRun();
  assert.ok(started?.type === "run.started");
  const ids = ["a", "b", "c"];
  const steps = ids.map((id) => ({ id, kind: "run" as const, needs: [], after: [] }));
  const failure = {
    code: "no-node",
    message: "Cannot choose a node: n1: its host key is not known",
    started: false,
  } as const;
  const ends = ["b", "c", "a"].map((step): Event => ({
    type: "step.finished",
    at: START,
    step,
    state: "failed",
    outputs: {},
    failure,
  }));
  assert.deepEqual(linesOf([{ ...started, steps }, ...ends]).slice(1), [
    "bad b: failed: Cannot choose a node: n1: its host key is not known",
    "bad c: failed: as b",
    "bad a: failed: as b",
  ]);
});

Deno.test("lineOf() tells of a rank only that it ended well while others go on", () => {
  const [started] = succeededRun();
  assert.ok(started?.type === "run.started");
  const step = "train";
  const at = { at: START, step, attempt: 1 } as const;
  const lines = linesOf([
    started,
    { type: "step.started", at: START, step },
    { type: "attempt.started", ...at },
    ...[0, 1, 2].map((rank): Event => ({ type: "node.chosen", ...at, rank, node: `gpu${rank}` })),
    { type: "rank.ended", ...at, rank: 0, node: "gpu0", by: "itself", exitCode: 0 },
    { type: "rank.ended", ...at, rank: 1, node: "gpu1", by: "itself", exitCode: 9 },
    { type: "rank.ended", ...at, rank: 2, node: "gpu2", by: "itself", exitCode: 0 },
  ]);
  assert.deepEqual(lines.filter((line) => /ended|exited/.test(line)), [
    "plain train: rank 0 on gpu0: ended well; 2 others go on",
  ]);
});
