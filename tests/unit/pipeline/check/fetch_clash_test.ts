import assert from "node:assert/strict";
import { diagnosticsOf, mistakesOf } from "../../../support/pipeline_files.ts";

const CELLS = "matrix: { seed: [1, 2] }, node: n1";

/** One fetch as it stands in line 3; a step `train` with the same cells is before it. */
function fetching(fetch: string, { keys = CELLS }: { readonly keys?: string } = {}): string {
  return `steps:
  - { id: train, matrix: { seed: [1, 2] }, run: "true" }
  - { id: get, needs: train, ${keys}, fetch: ${fetch} }
  - { id: code, run: "true" }
`;
}

Deno.test("two cells that bring one file to one place are refused where the place is written", async () => {
  const [clash] = await diagnosticsOf(fetching("{ from: m.json, to: results }"));
  assert.deepEqual(
    [
      clash?.rule,
      clash?.severity,
      clash?.place.line,
      clash?.sourceLine.slice((clash?.place.column ?? 1) - 1),
    ],
    ["fetch-clash", "error", 3, "results } }"],
  );
  assert.equal(
    clash?.message,
    "get[seed=1] and get[seed=2] would both bring results/m.json, and the last one would win",
  );
  assert.equal(
    clash?.hint,
    "give every cell a folder of its own: to: results/${{ matrix.seed }}, or to: results/{node}",
  );
});

Deno.test("what is the same for all cells is seen before the run, whatever its value", async () => {
  const same = [
    "{ from: m.json }",
    "{ from: ./m.json, to: results/. }",
    '{ from: m.json, to: "results/${{ run.id }}" }',
    '{ from: [a, "${{ matrix.seed }}.json", m.json], to: "${{ run.pipeline }}" }',
    "{ from: m.json, to: 'results/{node}' }",
  ];
  for (const fetch of same) {
    assert.deepEqual((await mistakesOf(fetching(fetch))).map((it) => it.split(" ")[1]), [
      "fetch-clash",
    ], fetch);
  }
});

Deno.test("cells with places of their own, and what only the run can tell, are no clash", async () => {
  const fine: readonly [string, string?][] = [
    ['{ from: m.json, to: "results/${{ matrix.seed }}" }'],
    ['{ from: "${{ matrix.seed }}.json", to: results }'],
    ["{ from: '*.json', to: results }"],
    ["{ from: m.json, to: 'results/{node}' }", "matrix: { seed: [1, 2] }"],
    [
      "{ from: m.json, to: 'results/{node}' }",
      'matrix: { seed: [1, 2] }, node: "n${{ matrix.seed }}"',
    ],
    ["{ from: m.json, to: r }", 'matrix: { seed: [1, 2] }, node: n1, if: "matrix.seed == 1"'],
    [
      '{ node: "${{ steps.train.node }}", from: m.json, to: "r/{node}" }',
      "matrix: { seed: [1, 2] }",
    ],
    ["{ from: m.json, to: results }", "node: n1"],
  ];
  for (const [fetch, keys] of fine) {
    const found = await diagnosticsOf(fetching(fetch, keys === undefined ? {} : { keys }));
    assert.deepEqual(found.filter(({ severity }) => severity !== "warning"), [], fetch);
  }
});

Deno.test("cells of a template clash too; a template that is used twice brings what it was told to", async () => {
  const template = `inputs: { n: { default: "1" } }
steps:
  - { id: go, run: "true" }
  - { id: get, needs: go, node: n1, fetch: { from: m.json, to: results } }
`;
  const cells =
    'steps:\n  - { id: eval, matrix: { n: [1, 2] }, uses: ./t.yaml, with: { n: "${{ matrix.n }}" } }\n';
  const twice = "steps:\n  - { id: a, uses: ./t.yaml }\n  - { id: b, needs: a, uses: ./t.yaml }\n";
  const of = (main: string, text: string) => mistakesOf({ main, more: { "t.yaml": text } });
  assert.deepEqual(await of(cells, template), ["4:64 fetch-clash"]);
  assert.deepEqual(await of(cells, template.replace("results }", "'r/${{ inputs.n }}' }")), []);
  assert.deepEqual(await of(twice, template), []);
});

Deno.test("only {node} is replaced; the name of an axis in braces is a mistake", async () => {
  assert.deepEqual(await mistakesOf(fetching("{ from: m.json, to: 'r/{seed}' }")), [
    "3:93 fetch-hole",
  ]);
  const [other] = await diagnosticsOf(
    fetching("{ from: m.json, to: 'r/{host}' }", { keys: "node: n1" }),
  );
  assert.deepEqual([other?.rule, other?.severity], ["fetch-hole", "warning"]);
});

Deno.test("a cell asks a step with the same matrix; any other has to name its cells", async () => {
  const file = (keys: string, node: string) =>
    `steps:
  - { id: train, matrix: { seed: [1, 2] }, run: "true" }
  - { id: get, needs: train, ${keys}, node: "\${{ ${node} }}", run: "echo \${{ steps.train.outputs.x }}" }
`;
  assert.deepEqual(await mistakesOf(file("matrix: { seed: [1, 2] }", "steps.train.node")), []);
  assert.deepEqual(
    (await mistakesOf(file("matrix: { lr: [1, 2] }", "steps.train.node"))).map((it) =>
      it.split(" ")[1]
    ),
    ["matrix-outputs", "matrix-outputs"],
  );
  assert.deepEqual(
    await mistakesOf(file("matrix: { seed: [1, 2] }", "steps.train.matrix[0].node")),
    [],
  );
});
