import assert from "node:assert/strict";
import { runDifference } from "../../../src/engine/run_difference.ts";
import { replay } from "../../../src/engine/reduce.ts";
import { failedRun, succeededRun } from "../../support/sample_runs.ts";

function stateOf(events: Parameters<typeof replay>[0]) {
  const state = replay(events);
  assert.ok(state);
  return state;
}

Deno.test("runDifference() of a run and itself has no differences", () => {
  const state = stateOf(succeededRun());
  const { inputs, outputs, steps, commit } = runDifference(state, state);
  assert.deepEqual([...inputs, ...outputs, ...steps, commit].filter(({ differs }) => differs), []);
  assert.deepEqual(inputs.map(({ name }) => name), ["epochs", "dataset"]);
});

Deno.test("runDifference() names what one run has and the other has not, and how steps ended", () => {
  const one = stateOf(succeededRun());
  const other = { ...stateOf(failedRun()), inputs: { epochs: 6, seed: 1 } };
  const { inputs, outputs, steps } = runDifference(one, other);
  assert.deepEqual(inputs, [
    { name: "epochs", one: 5, other: 6, differs: true },
    { name: "seed", one: undefined, other: 1, differs: true },
    { name: "dataset", one: "digits", other: undefined, differs: true },
  ]);
  assert.ok(outputs.some(({ name, other }) => name === "train.accuracy" && other === undefined));
  const train = steps.find(({ name }) => name === "train");
  assert.deepEqual([train?.one?.status, train?.other?.status, train?.differs], [
    "succeeded",
    "failed",
    true,
  ]);
  assert.equal(steps.find(({ name }) => name === "code")?.differs, false);
});
