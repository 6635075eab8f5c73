import assert from "node:assert/strict";
import { runFake, states, succeed } from "../../../support/fake_engine.ts";
import { group, pipeline, step } from "../../../support/pipelines.ts";
import { loadText } from "../../../support/pipeline_files.ts";

const TEMPLATE = `
inputs: { n: { type: integer }, on: { type: boolean, default: false }, list: {} }
steps:
  - { id: go, if: "inputs.on && inputs.n > 1", run: "echo \${{ toJSON(inputs.list) }}" }
`;

function caller(given: string): string {
  return `
steps:
  - { id: p, run: "true" }
  - { id: t, needs: p, uses: ./t.yaml, with: ${given} }
`;
}

Deno.test("text outputs become the type of the input that a template is given", async () => {
  const main = caller(
    '{ n: "${{ steps.p.outputs.n }}", on: "${{ steps.p.outputs.on }}", list: "${{ [1] }}" }',
  );
  const loaded = await loadText({ main, more: { "t.yaml": TEMPLATE } });
  const { state } = await runFake(loaded.pipeline, {
    steps: { p: succeed({ n: "4", on: "true" }) },
  });
  assert.deepEqual(states(state), { p: "succeeded", "t/go": "succeeded", t: "succeeded" });
});

Deno.test("a template whose input does not fit fails before it begins", async () => {
  const loaded = await loadText({
    main: caller('{ n: "${{ steps.p.outputs.n }}" }'),
    more: { "t.yaml": TEMPLATE },
  });
  const { state } = await runFake(loaded.pipeline, { steps: { p: succeed({ n: "many" }) } });
  assert.deepEqual(states(state), { p: "succeeded", "t/go": "skipped", t: "failed" });
  const { message, hint } = state.steps.get("t")?.failure ?? {};
  assert.equal(
    message,
    'Cannot start the template: input "n" must be a whole number, is "many"',
  );
  assert.match(hint ?? "", /^declared in .*t\.yaml:2$/);
});

Deno.test("a matrix whose condition cannot be evaluated fails, and its cells are skipped", async () => {
  const cells = [step("m[x=1]", { matrix: { x: "1" } })];
  const steps = [step("p"), ...group("m", cells, { needs: ["p"], if: "steps.p.outputs.x" })];
  const { state } = await runFake(pipeline(steps));
  assert.deepEqual(states(state), { p: "succeeded", "m[x=1]": "skipped", m: "failed" });
});
