import assert from "node:assert/strict";
import { PartialEvaluation } from "../../../src/pipeline/partial_evaluation.ts";
import { loadText } from "../../support/pipeline_files.ts";

async function falseSteps(text: Parameters<typeof loadText>[0]): Promise<string[]> {
  const { pipeline } = await loadText(text);
  const evaluation = new PartialEvaluation(pipeline, { env: { CI: "yes" } });
  return pipeline.steps.filter((step) => evaluation.falseCondition(step)).map(({ id }) => id);
}

Deno.test("Foresight finds conditions that are false by the inputs alone", async () => {
  assert.deepEqual(
    await falseSteps(`
inputs: { deploy: { type: boolean, default: false } }
steps:
  - { id: a, run: echo }
  - { id: off, if: inputs.deploy, run: echo }
  - { id: on, if: "!inputs.deploy", run: echo }
  - { id: never, if: failure() && inputs.deploy, run: echo }
  - { id: perhaps, needs: a, if: failure(), run: echo }
  - { id: later, needs: a, if: steps.a.outputs.x == "1", run: echo }
  - { id: ci, if: env("CI") == "no", run: echo }
  - { id: own, env: { X: "1" }, if: env.X == "1", run: echo }
`),
    ["off", "never", "ci"],
  );
});

Deno.test("Foresight looks into matrices and templates", async () => {
  assert.deepEqual(
    await falseSteps({
      main: `
inputs: { go: { type: boolean, default: false } }
steps:
  - { id: sweep, matrix: { x: [1, 2] }, if: matrix.x == 1, run: echo }
  - { id: whole, matrix: { x: [1] }, if: inputs.go, run: echo }
  - { id: part, uses: ./part.yaml, with: { go: "\${{ inputs.go }}" } }
`,
      more: {
        "part.yaml":
          `inputs: { go: { type: boolean } }\nsteps:\n  - { id: x, if: inputs.go, run: echo }\n`,
      },
    }),
    ["sweep[x=2]", "whole[x=1]", "whole", "part/x"],
  );
});

Deno.test("Foresight gives the texts that the run cannot change", async () => {
  const { pipeline } = await loadText(`
inputs: { where: { default: gpu1 } }
steps:
  - { id: a, node: "\${{ inputs.where }}", run: echo }
  - { id: b, needs: a, node: "\${{ steps.a.node }}", run: echo }
`);
  const evaluation = new PartialEvaluation(pipeline, { env: {} });
  const names = pipeline.steps.map((step) =>
    step.node.kind === "named" ? evaluation.text(step.node.name, step) : "?"
  );
  assert.deepEqual(names, ["gpu1", undefined]);
});
