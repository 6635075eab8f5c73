/** The rules of needs, after, if, states and results, one test each, named by the rule. */
import assert from "node:assert/strict";
import type { StepResult } from "../../../src/engine/event.ts";
import {
  type Behaviour,
  fail,
  interrupted,
  runFake,
  states,
  succeed,
  untilStopped,
} from "../../support/fake_engine.ts";
import { pipeline, step, type StepParts } from "../../support/pipelines.ts";

interface Rule {
  readonly name: string;
  /** The step before; it ends as said. */
  readonly before: StepResult;
  readonly then: StepParts;
  readonly expect: "succeeded" | "skipped" | "cancelled";
}

const ENDS: Readonly<Record<string, { readonly parts: StepParts; readonly behaviour: Behaviour }>> =
  {
    succeeded: { parts: {}, behaviour: succeed() },
    failed: { parts: {}, behaviour: fail() },
    "allowed-failure": { parts: { allowFailure: true }, behaviour: fail() },
    "timed-out": { parts: { timeout: { attemptMs: 10 } }, behaviour: untilStopped() },
    skipped: { parts: { if: "false" }, behaviour: succeed() },
  };

const NEEDS = { needs: ["before"] };
const AFTER = { after: ["before"] };

const RULES: readonly Rule[] = [
  { name: "needs wants success", before: "succeeded", then: NEEDS, expect: "succeeded" },
  { name: "needs refuses a failure", before: "failed", then: NEEDS, expect: "skipped" },
  { name: "needs refuses a timeout", before: "timed-out", then: NEEDS, expect: "skipped" },
  {
    name: "needs takes an allowed failure for success",
    before: "allowed-failure",
    then: NEEDS,
    expect: "succeeded",
  },
  {
    name: "needs counts a step skipped by its own if",
    before: "skipped",
    then: NEEDS,
    expect: "succeeded",
  },
  { name: "after wants only the end", before: "failed", then: AFTER, expect: "succeeded" },
  { name: "after takes a timeout", before: "timed-out", then: AFTER, expect: "succeeded" },
  { name: "after takes a skip", before: "skipped", then: AFTER, expect: "succeeded" },
  {
    name: "always() runs although a need failed",
    before: "failed",
    then: { ...NEEDS, if: "always()" },
    expect: "succeeded",
  },
  {
    name: "failure() runs where a need failed",
    before: "failed",
    then: { ...NEEDS, if: "failure()" },
    expect: "succeeded",
  },
  {
    name: "failure() runs where a need timed out",
    before: "timed-out",
    then: { ...NEEDS, if: "failure()" },
    expect: "succeeded",
  },
  {
    name: "failure() runs after a failure",
    before: "failed",
    then: { ...AFTER, if: "failure()" },
    expect: "succeeded",
  },
  {
    name: "failure() does not run where all went well",
    before: "succeeded",
    then: { ...NEEDS, if: "failure()" },
    expect: "skipped",
  },
  {
    name: "failure() does not run for an allowed failure",
    before: "allowed-failure",
    then: { ...AFTER, if: "failure()" },
    expect: "skipped",
  },
  {
    name: "success() after a failure is false",
    before: "failed",
    then: { ...AFTER, if: "success()" },
    expect: "skipped",
  },
  {
    name: "a condition without a status function does not lift needs",
    before: "failed",
    then: { ...NEEDS, if: "true" },
    expect: "skipped",
  },
  {
    name: "a condition may ask for the state of a step",
    before: "failed",
    then: { ...AFTER, if: 'steps.before.state == "failed"' },
    expect: "succeeded",
  },
  {
    name: "cancelled() is false in a run that goes its way",
    before: "succeeded",
    then: { ...AFTER, if: "cancelled()" },
    expect: "skipped",
  },
];

for (const { name, before, then, expect } of RULES) {
  Deno.test(`rule: ${name}`, async () => {
    const end = ENDS[before];
    assert.ok(end);
    const { state } = await runFake(pipeline([step("before", end.parts), step("then", then)]), {
      steps: { before: end.behaviour },
    });
    assert.equal(state.steps.get("before")?.status, before);
    assert.equal(state.steps.get("then")?.status, expect);
    if (expect !== "succeeded") assert.ok(state.steps.get("then")?.reason, "no reason was given");
  });
}

Deno.test("rule: a step skipped because of a failure passes the skip on", async () => {
  const steps = [
    step("a"),
    step("b", { needs: ["a"] }),
    step("c", { needs: ["b"] }),
    step("d", { after: ["c"] }),
    step("e", { after: ["c"], if: "failure()" }),
  ];
  const { state } = await runFake(pipeline(steps), { steps: { a: fail() } });
  assert.deepEqual(states(state), {
    a: "failed",
    b: "skipped",
    c: "skipped",
    d: "succeeded",
    e: "succeeded",
  });
});

Deno.test("rule: a step skipped by its own if does not pass a skip on", async () => {
  const steps = [
    step("a", { if: "false" }),
    step("b", { needs: ["a"] }),
    step("c", { needs: ["b"] }),
  ];
  const { state } = await runFake(pipeline(steps));
  assert.deepEqual(states(state), { a: "skipped", b: "succeeded", c: "succeeded" });
  assert.equal(state.steps.get("a")?.reason, "its condition is false: false");
});

Deno.test("rule: a condition that cannot be evaluated fails the step, with its reason", async () => {
  const steps = [step("a"), step("b", { needs: ["a"], if: "steps.a.outputs.missing == 1" })];
  const { state } = await runFake(pipeline(steps));
  assert.equal(state.steps.get("b")?.status, "failed");
  assert.match(state.steps.get("b")?.failure?.message ?? "", /has no output "missing"/);
  assert.equal(state.exitCode, 1);
});

const RESULTS: readonly (readonly [string, readonly StepResult[], string, number])[] = [
  ["all succeeded", ["succeeded", "succeeded"], "succeeded", 0],
  ["an allowed failure is no failure", ["succeeded", "allowed-failure"], "succeeded", 0],
  ["a skip is no failure", ["skipped", "skipped"], "succeeded", 0],
  ["one failed", ["succeeded", "failed"], "failed", 1],
  ["one timed out", ["timed-out", "succeeded"], "timed-out", 4],
  ["failed is worse than timed out", ["timed-out", "failed"], "failed", 1],
];

for (const [name, ends, result, exitCode] of RESULTS) {
  Deno.test(`rule: the run takes the worst that is not allowed: ${name}`, async () => {
    const steps = ends.map((end, index) => step(`s${index}`, ENDS[end]?.parts ?? {}));
    const behaviours = Object.fromEntries(
      ends.map((end, index) => [`s${index}`, ENDS[end]?.behaviour ?? succeed()]),
    );
    const { state } = await runFake(pipeline(steps), { steps: behaviours });
    assert.equal(state.result, result);
    // With two failures the exit code is that of the first.
    if (new Set(ends).size === 1 || !ends.includes("timed-out") || !ends.includes("failed")) {
      assert.equal(state.exitCode, exitCode);
    }
  });
}

Deno.test("rule: the exit code is that of the failure that came first", async () => {
  const { state } = await runFake(pipeline([step("late"), step("first")]), {
    steps: {
      first: fail({ code: "no-node", started: false }),
      late: async (_, host) => {
        await host.clock.sleep(100);
        return fail()(_, host);
      },
    },
  });
  assert.deepEqual([state.firstFailure, state.exitCode], ["first", 3]);
});

Deno.test("rule: a run that was told to stop after all was done is what it was", async () => {
  const stop = new AbortController();
  const { state } = await runFake(pipeline([step("a")]), {
    signal: stop.signal,
    steps: {
      a: () => {
        stop.abort(interrupted());
        return { status: "succeeded", outputs: {} };
      },
    },
  });
  assert.deepEqual([state.result, state.exitCode], ["succeeded", 0]);
});
