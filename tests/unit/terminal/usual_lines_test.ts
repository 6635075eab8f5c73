import assert from "node:assert/strict";
import { replay } from "../../../src/engine/reduce.ts";
import { createPaint } from "../../../src/terminal/style.ts";
import { usualLines, type UsualStep } from "../../../src/terminal/usual_lines.ts";
import { succeededRun } from "../../support/sample_runs.ts";

function lines(usual: readonly Partial<UsualStep>[]): string[] {
  const state = replay(succeededRun());
  assert.ok(state);
  const filled = usual.map((each) => ({
    usualMs: undefined,
    runs: 5,
    retried: 0,
    step: "",
    ...each,
  }));
  return usualLines(state, { usual: filled, width: 80, paint: createPaint(false) });
}

Deno.test("usualLines() tells what took twice or half of what is usual, and what needed retries", () => {
  assert.deepEqual(lines([{ step: "train", usualMs: 10_000, retried: 2 }]), [
    "Against earlier runs:",
    "  train: took 1m 05s, usually 10.0s; needed a retry in 2 of the last 5 runs",
  ]);
  assert.match(lines([{ step: "train", usualMs: 600_000 }]).join(), /usually 10m 00s/);
});

Deno.test("usualLines() says nothing of what is as ever, of little things, and of other steps", () => {
  assert.deepEqual(lines([{ step: "train", usualMs: 60_000 }]), []);
  assert.deepEqual(lines([{ step: "gpu", usualMs: 10 }]), []);
  assert.deepEqual(lines([{ step: "gone", usualMs: 10, retried: 3 }]), []);
});
