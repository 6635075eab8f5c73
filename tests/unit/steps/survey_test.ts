import assert from "node:assert/strict";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { PartialEvaluation } from "../../../src/pipeline/partial_evaluation.ts";
import { Survey } from "../../../src/steps/preflight/survey.ts";
import { loadText } from "../../support/pipeline_files.ts";
import { health, node } from "../cluster/nodes.ts";

async function survey(text: string): Promise<Survey> {
  const { pipeline } = await loadText(text);
  const nodes = [node("gpu1", { labels: ["a100"] }), node("gpu2")];
  return new Survey(pipeline, {
    cluster: { nodes } as unknown as Cluster,
    weights: { cpuWeight: 1, gpuWeight: 3 },
    ray: { mode: "embedded", head: undefined },
    project: "/project",
    evaluation: new PartialEvaluation(pipeline, { env: {} }),
    health: [health("gpu1", { score: 50 }), health("gpu2"), health("local")],
  });
}

const stepOf = (found: Survey, id: string) => {
  const step = found.steps.find((each) => each.id === id);
  assert.ok(step, id);
  return step;
};

Deno.test("Survey knows where steps run, as far as that can be known", async () => {
  const found = await survey(`
inputs: { where: { default: gpu2 } }
steps:
  - { id: code, sync: {} }
  - { id: pick, select-node: { labels: [a100] } }
  - { id: train, needs: pick, run: echo }
  - { id: named, node: "\${{ inputs.where }}", run: echo }
  - { id: best, run: echo }
  - { id: here, node: { among: [local] }, run: echo }
  - { id: later, needs: train, node: "\${{ steps.train.node }}", run: echo }
`);
  const places = ["code", "pick", "train", "named", "here", "later"].map((id) =>
    found.placesOf(stepOf(found, id))
  );
  assert.deepEqual(places, [["gpu1", "gpu2"], [], ["gpu1"], ["gpu2"], ["local"], undefined]);
});

Deno.test("Survey knows what is before a step, through groups and for hooks", async () => {
  const found = await survey(`
inputs: { go: { type: boolean, default: false } }
steps:
  - { id: a, run: echo }
  - { id: off, if: inputs.go, run: echo }
  - { id: sweep, needs: [a, off], matrix: { x: [1, 2] }, run: echo }
  - { id: b, needs: sweep, run: echo }
  - { id: c, run: echo }
hooks:
  exit: [{ id: tidy, run: echo }]
`);
  const before = (id: string) => found.before(stepOf(found, id)).map((step) => step.id).toSorted();
  assert.deepEqual(before("sweep[x=1]"), ["a"]);
  assert.deepEqual(before("b"), ["a", "sweep[x=1]", "sweep[x=2]"]);
  assert.deepEqual(before("c"), []);
  assert.deepEqual(before("tidy"), ["a", "b", "c", "sweep[x=1]", "sweep[x=2]"]);
});
