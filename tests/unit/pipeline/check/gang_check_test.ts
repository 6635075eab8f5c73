import assert from "node:assert/strict";
import { planOf } from "../../../../src/pipeline/plan.ts";
import { diagnosticsOf, loadText, mistakesOf, stepOf } from "../../../support/pipeline_files.ts";
import { warnings } from "../../../support/warnings.ts";

const NODES = ["g1", "g2", "g3", "g4"].map((name) => ({
  name,
  labels: name === "g4" ? ["cpu"] : ["a100"],
  gpus: name === "g4" ? 0 : undefined,
}));

Deno.test("nodes: 4 and its map become a gang that wants GPUs of each node", async () => {
  const { pipeline } = await loadText(`
steps:
  - { id: short, nodes: 4, run: "true" }
  - id: long
    nodes: { count: 3, gpus: 8, same: model, start-within: 2m, idle: 20m, exit-together: 5m, aliases: skypilot }
    node: { labels: [a100], wait: 30m }
    run: "true"
`);
  assert.deepEqual(stepOf(pipeline, "short").action, {
    kind: "run",
    run: (stepOf(pipeline, "short").action as { run: unknown }).run,
    gang: { count: 4, sameModel: false, startWithinMs: 60_000, aliases: [] },
  });
  const long = stepOf(pipeline, "long");
  assert.equal(long.node.kind, "selector");
  assert.ok(long.node.kind === "selector");
  assert.equal(long.node.selector.gpus, 8);
  assert.equal(long.node.selector.waitMs, 30 * 60_000);
  assert.deepEqual(long.action.kind === "run" && long.action.gang, {
    count: 3,
    sameModel: true,
    startWithinMs: 120_000,
    idleMs: 20 * 60_000,
    exitTogetherMs: 5 * 60_000,
    aliases: ["skypilot"],
  });
  assert.deepEqual(planOf(pipeline).map(({ node }) => node), [
    "4 nodes, each best",
    "3 nodes, each best with 8 GPUs, a100",
  ]);
});

Deno.test("a number of nodes may be an expression, and what is wrong in nodes: is said of its key", async () => {
  const { pipeline } = await loadText(`
inputs: { n: { type: integer, default: 2 } }
steps:
  - { id: a, nodes: "\${{ inputs.n }}", run: "true" }
  - { id: b, nodes: { count: "\${{ inputs.n + 1 }}", gpus: 1 }, run: "true" }
`);
  assert.deepEqual(planOf(pipeline).map(({ node }) => node), [
    "${{ inputs.n }} nodes, each best",
    "${{ inputs.n + 1 }} nodes, each best with 1 GPU",
  ]);
  assert.deepEqual(
    await mistakesOf(`
steps:
  - { id: a, nodes: { count: 2, gpus: -1, same: gpu, idle: soon, aliases: [slurm] }, run: "true" }
  - { id: b, nodes: {}, run: "true" }
  - { id: c, nodes: "3", run: "true" }
  - { id: d, nodes: "\${{ inputs.n }} nodes", run: "true" }
  - { id: e, nodes: { count: 0 }, run: "true" }
  - { id: f, nodes: "\${{ inputs.n }}", run: "true" }
`),
    [
      "3:39 invalid-value",
      "3:49 invalid-value",
      "3:60 invalid-value",
      "3:76 invalid-value",
      "4:21 missing-key",
      "5:21 invalid-value",
      "6:21 invalid-value",
      "7:30 invalid-value",
      "8:33 unknown-input",
    ],
  );
});

Deno.test("a gang takes no node of a select-node step before it, and none is ambiguous", async () => {
  const { pipeline } = await loadText(`
steps:
  - { id: a, select-node: {} }
  - { id: b, select-node: {} }
  - { id: all, needs: [a, b], nodes: 2, run: "true" }
`);
  assert.equal(stepOf(pipeline, "all").node.kind, "selector");
});

Deno.test("what means one node has no place beside nodes:", async () => {
  assert.deepEqual(
    await mistakesOf(`
steps:
  - { id: a, nodes: 2, node: g1, run: "true" }
  - { id: b, nodes: 2, service: 80, run: "true" }
  - { id: c, nodes: 2, cache: {}, run: "true" }
  - { id: d, nodes: 2, sync: {} }
  - { id: e, nodes: [g1, g2], run: "true" }
  - { id: f, nodes: { gpus: 2 }, run: "true" }
  - { id: g, nodes: { count: 2, gpus: 2 }, node: { gpus: 4 }, run: "true" }
`),
    [
      "3:24 gang-company",
      "4:24 gang-company",
      "5:24 gang-company",
      "6:14 nodes-without-run",
      "7:21 wrong-type",
      "8:21 missing-key",
      "9:44 gang-company",
    ],
  );
});

Deno.test("more nodes than the cluster can give together are an error at load", async () => {
  const text = (nodes: string, node = "{}") => `
steps:
  - { id: a, nodes: ${nodes}, node: ${node}, run: "true" }
`;
  const of = async (...parts: Parameters<typeof text>) =>
    (await diagnosticsOf(text(...parts), { nodes: NODES })).map(({ message }) => message);
  assert.deepEqual(await of("4"), []);
  assert.deepEqual(await of("5"), [
    "it wants 5 nodes together, and 4 of the 4 nodes of the cluster can be among them: g1, g2, g3, g4",
  ]);
  assert.deepEqual(await of("{ count: 4, gpus: 1 }"), [
    "it wants 4 nodes together, and 3 of the 4 nodes of the cluster can be among them: g1, g2, g3",
  ]);
  assert.deepEqual(await of("3", "{ labels: [a100], exclude: [g1] }"), [
    "it wants 3 nodes together, and 2 of the 4 nodes of the cluster can be among them: g2, g3",
  ]);
  assert.deepEqual(await of("2", "{ among: [g1, g2] }"), []);
  assert.deepEqual(await of("2", '{ among: ["${{ run.id }}"] }'), []);
});

Deno.test("steps on many nodes have ranks, others have none", async () => {
  const text = (nodes: string) => `
steps:
  - { id: a, ${nodes} run: "true" }
  - id: b
    needs: a
    node: local
    env: { X: "\${{ steps.a.ranks[1].node }}" }
    run: "true"
`;
  assert.deepEqual(await mistakesOf(text("nodes: 2,")), []);
  assert.deepEqual(await mistakesOf(text("")), ["7:28 unknown-field"]);
});

Deno.test("cells that wait for each other are warned of where not all may run", async () => {
  const text = (run: string, most: number) => `
steps:
  - id: s
    matrix: { r: [0, 1, 2], max-parallel: ${most} }
    run: ${run}
`;
  const torch = "torchrun --nnodes 3 --node-rank ${{ matrix.r }} train.py";
  assert.deepEqual(await warnings(text(torch, 2)), [
    "4:43 its cells wait for each other: 3 must run at once, and only 2 may",
  ]);
  assert.deepEqual(await warnings(text(torch, 3)), []);
  assert.deepEqual(await warnings(text("NODE_RANK=${{ matrix.r }} python train.py", 1)), [
    "4:43 its cells wait for each other: 3 must run at once, and only 1 may",
  ]);
  assert.deepEqual(await warnings(text("echo ${{ matrix.r }}", 1)), []);
});
