import assert from "node:assert/strict";
import { plannedHooks, planOf } from "../../../src/pipeline/plan.ts";
import type { Step } from "../../../src/pipeline/pipeline.ts";
import { loadText } from "../../support/pipeline_files.ts";

Deno.test("planOf() puts steps that may run together into one wave", async () => {
  const { pipeline } = await loadText(`
steps:
  - { id: code, sync: {} }
  - { id: gpu, select-node: { gpus: 2, labels: [a100] } }
  - { id: train, needs: [code, gpu], run: echo }
  - { id: report, after: train, node: local, run: echo }
`);
  assert.deepEqual(planOf(pipeline).map(({ id, wave, node }) => [id, wave, node]), [
    ["code", 1, "all nodes"],
    ["gpu", 1, "best with 2 GPUs, a100"],
    ["train", 2, "chosen by gpu"],
    ["report", 3, "local"],
  ]);
});

Deno.test("planOf() lets the members of a group wait for what the group waits for", async () => {
  const { pipeline } = await loadText({
    main: `
steps:
  - { id: code, run: echo }
  - { id: sweep, needs: code, matrix: { x: [1, 2] }, run: echo }
  - { id: eval, after: sweep, matrix: { y: [1] }, uses: ./part.yaml }
`,
    more: { "part.yaml": "steps:\n  - { id: go, run: echo }\n" },
  });
  assert.deepEqual(planOf(pipeline).map(({ id, wave }) => [id, wave]), [
    ["code", 1],
    ["sweep[x=1]", 2],
    ["sweep[x=2]", 2],
    ["sweep", 3],
    ["eval[y=1]/go", 4],
    ["eval[y=1]", 5],
    ["eval", 6],
  ]);
  assert.deepEqual(planOf(pipeline).map(({ id, needs, after }) => [id, needs, after]), [
    ["code", [], []],
    ["sweep[x=1]", ["code"], []],
    ["sweep[x=2]", ["code"], []],
    ["sweep", ["code"], []],
    ["eval[y=1]/go", [], ["sweep"]],
    ["eval[y=1]", [], ["sweep"]],
    ["eval", [], ["sweep"]],
  ]);
});

Deno.test("planOf() shows conditions and plannedHooks() what waits for the end", async () => {
  const { pipeline } = await loadText(`
inputs: { go: { type: boolean, default: false } }
steps:
  - { id: a, run: echo }
  - { id: b, if: "\${{ inputs.go }}", run: echo }
hooks:
  exit: [{ id: tidy, node: local, run: echo }]
  failure: [{ node: local, if: inputs.go, run: echo }]
`);
  const falseCondition = (step: Step) => step.id === "b" ? step.condition : undefined;
  assert.deepEqual(
    planOf(pipeline, { falseCondition }).map(({ id, if: words, skipped }) => [
      id,
      words,
      skipped,
    ]),
    [
      ["a", undefined, undefined],
      ["b", "inputs.go", "its condition is false: inputs.go"],
    ],
  );
  assert.deepEqual(plannedHooks(pipeline).map(({ id, moment, if: words }) => [id, moment, words]), [
    ["on-failure-1", "failure", "inputs.go"],
    ["tidy", "exit", undefined],
  ]);
});
