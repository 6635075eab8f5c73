import assert from "node:assert/strict";
import { evaluateText, type EvaluationScope } from "../../../../src/expression/evaluate.ts";
import type { Pipeline } from "../../../../src/pipeline/pipeline.ts";
import { Text } from "../../../../src/expression/text.ts";
import { diagnosticsOf, loadText, stepOf } from "../../../support/pipeline_files.ts";

const SCORE = `
inputs:
  suite: { required: true }
  shards: { type: integer, default: 2 }
env: { SUITE: "\${{ inputs.suite }}" }
steps:
  - { id: load, run: "echo \${{ inputs.suite }}" }
  - { id: score, needs: load, run: "echo \${{ steps.load.outputs.x }}", retry: 7 }
outputs:
  value: \${{ steps.score.outputs.value }}
`;

function scopeWith(inputs: EvaluationScope["inputs"]): EvaluationScope {
  return {
    inputs,
    steps: {},
    matrix: undefined,
    env: {},
    run: { id: "r", pipeline: "p" },
    attempt: 1,
    status: { success: true, failure: false, cancelled: false },
    hashFiles: () => "",
  };
}

/** The value of an input of a template, evaluated outside as the engine does. */
function outer(pipeline: Pipeline, scope: string, name: string, inputs: EvaluationScope["inputs"]) {
  const value = pipeline.scopes[scope]?.inputs[name];
  return value instanceof Text ? evaluateText(value, scopeWith(inputs)) : value;
}

Deno.test("a template becomes steps under the name of its use, and the group that joins them", async () => {
  const { pipeline } = await loadText({
    main: `
steps:
  - { id: train, run: echo }
  - { id: eval, needs: train, uses: ./parts/score.yaml, with: { suite: nightly } }
  - { id: end, needs: eval, run: "echo \${{ steps.eval.outputs.value }}" }
`,
    more: { "parts/score.yaml": SCORE },
  });
  assert.deepEqual(pipeline.steps.map((step) => step.id), [
    "train",
    "eval/load",
    "eval/score",
    "eval",
    "end",
  ]);
  assert.deepEqual(stepOf(pipeline, "eval/score").needs, ["eval/load"]);
  assert.equal(stepOf(pipeline, "eval/score").scope, "eval");
  assert.equal(stepOf(pipeline, "eval/score").group, "eval");
  assert.match(stepOf(pipeline, "eval/score").place.file, /parts\/score\.yaml$/);
  const group = stepOf(pipeline, "eval");
  assert.ok(group.action.kind === "group" && group.action.of === "template");
  assert.deepEqual(group.action.members, ["eval/load", "eval/score"]);
  assert.deepEqual(Object.keys(group.action.outputs), ["value"]);
  assert.deepEqual(pipeline.scopes["eval"], {
    parent: "",
    inputs: { suite: "nightly", shards: 2 },
    rules: {},
  });
});

Deno.test("an input given by an expression is evaluated where the template is used", async () => {
  const { pipeline } = await loadText({
    main: `
inputs: { s: { default: x } }
steps:
  - { id: eval, uses: ./score.yaml, with: { suite: "\${{ inputs.s }}-1" } }
`,
    more: { "score.yaml": SCORE },
  });
  assert.equal(outer(pipeline, "eval", "suite", { s: "day" }), "day-1");
});

Deno.test("the keys of a uses step are defaults for the steps of its template", async () => {
  const { pipeline } = await loadText({
    main: `
secrets: [KEY]
inputs: { n: { default: gpu1 } }
steps:
  - id: eval
    uses: ./score.yaml
    with: { suite: a }
    node: \${{ inputs.n }}
    timeout: 5m
    retry: 4
    shell: sh
    env: { OUTER: "\${{ inputs.n }}", PLAIN: p }
    secrets: [KEY]
    allow-failure: true
    if: always()
`,
    more: { "score.yaml": SCORE },
  });
  const load = stepOf(pipeline, "eval/load");
  assert.equal(load.timeout.attemptMs, 300_000);
  assert.equal(load.retry.max, 4);
  assert.equal(stepOf(pipeline, "eval/score").retry.max, 7);
  assert.equal(load.shell, "sh");
  assert.deepEqual(load.secrets, ["KEY"]);
  assert.equal(load.allowFailure, false);
  assert.equal(stepOf(pipeline, "eval").allowFailure, true);
  assert.ok(stepOf(pipeline, "eval").condition);
  assert.equal(load.env["PLAIN"]?.constant, "p");
  // The outer expressions are read through inputs that only Grid can name.
  const scope = scopeWith({
    suite: "a",
    "outer env OUTER": outer(pipeline, "eval", "outer env OUTER", { n: "gpu7" }) as string,
    "outer node": outer(pipeline, "eval", "outer node", { n: "gpu7" }) as string,
  });
  assert.equal(evaluateText(load.env["OUTER"] ?? Text.literal(""), scope), "gpu7");
  assert.ok(load.node.kind === "named");
  assert.equal(evaluateText(load.node.name, scope), "gpu7");
});

Deno.test("steps of a template run where a select-node outside chose, unless one inside does", async () => {
  const { pipeline } = await loadText({
    main: `
steps:
  - { id: pick, select-node: {} }
  - { id: one, needs: pick, uses: ./plain.yaml }
  - { id: two, needs: pick, uses: ./own.yaml }
`,
    more: {
      "plain.yaml": "steps:\n  - { id: a, run: echo }\n",
      "own.yaml":
        "steps:\n  - { id: mine, select-node: {} }\n  - { id: a, needs: mine, run: echo }\n",
    },
  });
  assert.deepEqual(stepOf(pipeline, "one/a").node, { kind: "chosen-by", step: "pick" });
  assert.deepEqual(stepOf(pipeline, "two/a").node, { kind: "chosen-by", step: "two/mine" });
});

Deno.test("templates nest, and a matrix may stand on a uses step", async () => {
  const { pipeline } = await loadText({
    main: `
steps:
  - { id: m, matrix: { s: [a, b] }, uses: ./outer.yaml, with: { suite: "\${{ matrix.s }}" } }
`,
    more: {
      "outer.yaml": `
inputs: { suite: {} }
steps:
  - { id: inner, uses: ./score.yaml, with: { suite: "\${{ inputs.suite }}" } }
`,
      "score.yaml": SCORE,
    },
  });
  assert.deepEqual(pipeline.steps.map((step) => step.id), [
    "m[s=a]/inner/load",
    "m[s=a]/inner/score",
    "m[s=a]/inner",
    "m[s=a]",
    "m[s=b]/inner/load",
    "m[s=b]/inner/score",
    "m[s=b]/inner",
    "m[s=b]",
    "m",
  ]);
  const cell = stepOf(pipeline, "m[s=b]");
  assert.deepEqual(cell.matrix, { s: "b" });
  assert.ok(cell.action.kind === "group" && cell.action.of === "template");
  assert.equal(pipeline.scopes["m[s=b]/inner"]?.parent, "m[s=b]");
});

Deno.test("a cycle of templates is named", async () => {
  const [found] = await diagnosticsOf({
    main: "steps:\n  - { id: a, uses: ./b.yaml }\n",
    more: {
      "b.yaml": "steps:\n  - { id: b, uses: ./c.yaml }\n",
      "c.yaml": "steps:\n  - { id: c, uses: ./b.yaml }\n",
    },
  });
  assert.equal(found?.rule, "template-cycle");
  assert.match(found?.message ?? "", /b\.yaml → .*c\.yaml → .*b\.yaml$/);
  assert.equal(found?.usedAt?.length, 2);
});

Deno.test("secrets that a template declares are read for the run", async () => {
  const { pipeline } = await loadText({
    main: "steps:\n  - { id: a, uses: ./b.yaml }\n",
    more: { "b.yaml": "secrets: [KEY]\nsteps:\n  - { id: b, run: echo, secrets: KEY }\n" },
  });
  assert.deepEqual(pipeline.secrets.map((secret) => secret.name), ["KEY"]);
});
