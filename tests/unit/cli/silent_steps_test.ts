import assert from "node:assert/strict";
import { silentSteps } from "../../../src/cli/silent_steps.ts";
import { fail, runFake } from "../../support/fake_engine.ts";
import { group, pipeline, step } from "../../support/pipelines.ts";

const STEPS = [
  step("a"),
  ...group("m", [step("m[x=1]"), step("m[x=2]")]),
  step("b", { needs: ["a"] }),
  step("c", { needs: ["b"] }),
];

Deno.test("silentSteps() says why a step has no log, and where a reused one has", async () => {
  const first = await runFake(pipeline(STEPS), { run: "r1", steps: { b: fail() } });
  const { state } = await runFake(pipeline(STEPS), {
    run: "r2",
    resume: first.state,
    steps: { b: fail() },
  });
  const told = (step: string | undefined, printed = false) =>
    silentSteps(state, { step, printed, underWay: false });
  assert.deepEqual(told("a"), [
    "a was reused: it finished in run r1 and nothing about it changed",
    "its log: grid logs r1 a",
  ]);
  assert.deepEqual(told("c"), ['c was skipped: it needs "b", which failed']);
  assert.deepEqual(told("b", true), []);
  assert.match(told("b")[0] ?? "", /^b failed .*; it printed nothing$/);
  const [late = ""] = silentSteps(state, {
    step: "b",
    printed: false,
    underWay: false,
    part: " since then",
  });
  assert.match(late, /; it printed nothing since then$/);
  const cells = "reused from run r1: m[x=1], m[x=2]; their logs: grid logs r1";
  assert.deepEqual(told("m"), [cells]);
  assert.deepEqual(told(undefined, true), [cells.replace("1: m", "1: a, m")]);
});
