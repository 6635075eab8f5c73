import assert from "node:assert/strict";
import { runDifference } from "../../../src/engine/run_difference.ts";
import { replay } from "../../../src/engine/reduce.ts";
import { renderDifference } from "../../../src/terminal/tables/difference_tables.ts";
import { failedRun, succeededRun } from "../../support/sample_runs.ts";

function rendered(
  first: Parameters<typeof replay>[0],
  second: Parameters<typeof replay>[0],
): string {
  const [one, other] = [replay(first), replay(second)];
  assert.ok(one && other);
  return renderDifference(runDifference(one, other), {
    runs: [{ ...one, run: "one", durationMs: one.durationMs }, {
      ...other,
      run: "other",
      durationMs: other.durationMs,
    }],
    color: false,
    width: 100,
  });
}

Deno.test("renderDifference() tells what differs, and counts the rest", () => {
  assert.equal(
    rendered(succeededRun(), failedRun()),
    `RUN       one        other
pipeline  train      train
result    succeeded  failed
took      1m 06s     9.6s (-56.4s)

RESULT          one             other
train.accuracy  0.9532          none
train.epochs    5               none
train.note      held-out score  none
score.results   [0.9,0.95]      none
score.mean      0.925           none
model.files     2               none

STEP    one                                   other
train   succeeded 1m 05s on gpu1, 2 attempts  failed 9.0s (-55.5s) on gpu1
score   succeeded 990ms on gpu1               skipped
model   succeeded 300ms on gpu1               skipped
notify  skipped                               succeeded 120ms on local

equal: 2 inputs, 2 steps
`,
  );
});

Deno.test("renderDifference() of a run and itself is short, and shows nothing that a terminal obeys", () => {
  const events = succeededRun().map((event) =>
    event.type === "run.started"
      ? { ...event, pipeline: "a\x1b[2Jb", inputs: { "x\x1b]0;t\x07": "\x1b[31m" } }
      : event
  );
  const text = rendered(events, events);
  assert.ok(!text.includes("\x1b"));
  assert.match(text, /^equal: 1 input, 6 results, 6 steps$/m);
});
