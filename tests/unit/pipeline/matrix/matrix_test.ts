import assert from "node:assert/strict";
import fc from "fast-check";
import { combine } from "../../../../src/pipeline/matrix/cells.ts";
import { loadText, mistakesOf, stepOf } from "../../../support/pipeline_files.ts";

Deno.test("a matrix becomes cells and the group that joins them", async () => {
  const { pipeline } = await loadText(`
steps:
  - { id: code, sync: {} }
  - id: sweep
    needs: code
    matrix:
      lr: [1e-4, 3e-4]
      seed: [1, 2]
      exclude: [{ lr: 3e-4, seed: 2 }]
      max-parallel: 2
      fail-fast: true
    run: train --lr \${{ matrix.lr }}
    allow-failure: true
  - { id: after, needs: sweep, run: "echo \${{ toJSON(steps.sweep.matrix) }}" }
`);
  assert.deepEqual(pipeline.steps.map((step) => step.id), [
    "code",
    "sweep[lr=1e-4,seed=1]",
    "sweep[lr=1e-4,seed=2]",
    "sweep[lr=3e-4,seed=1]",
    "sweep",
    "after",
  ]);
  const cell = stepOf(pipeline, "sweep[lr=1e-4,seed=2]");
  assert.equal(JSON.stringify(cell.matrix), '{"lr":1e-4,"seed":2}');
  assert.equal(cell.group, "sweep");
  assert.deepEqual(cell.needs, []);
  const group = stepOf(pipeline, "sweep");
  assert.deepEqual(group.needs, ["code"]);
  assert.ok(group.action.kind === "group" && group.action.of === "matrix");
  assert.equal(group.action.members.length, 3);
  assert.equal(group.action.maxParallel, 2);
  assert.equal(group.action.failFast, true);
  assert.equal(group.allowFailure, true);
});

Deno.test("numbers of a matrix are numbers to a program, in whatever spelling JSON knows", async () => {
  const { pipeline } = await loadText(
    "steps:\n  - id: a\n    matrix: { x: [0.5, 1.0, 1e-4, 3.10, 0755, +3, '7'] }\n    run: echo\n",
  );
  const values = pipeline.steps.flatMap((step) => step.matrix ? [step.matrix["x"]] : []);
  assert.equal(JSON.stringify(values), '[0.5,1.0,1e-4,3.10,"0755","+3","7"]');
});

Deno.test("include adds to the cells that fit, and is a cell of its own otherwise", () => {
  const { cells } = combine({
    axes: [["os", ["a", "b"]]],
    exclude: [],
    include: [{ os: "a", gpu: true }, { os: "c" }, { color: "red" }],
    maxCells: 10,
  });
  assert.deepEqual(cells, [
    { os: "a", gpu: true, color: "red" },
    { os: "b", color: "red" },
    { os: "c" },
  ]);
});

Deno.test("include leaves the spelling of an axis as it is", () => {
  const { cells } = combine({
    axes: [["lr", ["0.50"]]],
    exclude: [],
    include: [{ lr: 0.5, tag: "half" }],
    maxCells: 10,
  });
  assert.deepEqual(cells, [{ lr: "0.50", tag: "half" }]);
});

Deno.test("exclude compares numbers by value, not by spelling", () => {
  const { cells, idle } = combine({
    axes: [["lr", ["1e-4", 0.5]]],
    exclude: [{ lr: 0.0001 }, { lr: 7 }],
    include: [],
    maxCells: 10,
  });
  assert.deepEqual(cells, [{ lr: 0.5 }]);
  assert.deepEqual(idle, [1]);
});

Deno.test("combine() makes every combination once and never more than the limit", () => {
  const axis = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(fc.array(axis, { minLength: 1, maxLength: 4 }), (lists) => {
    const axes = lists.map((values, index) => [`a${index}`, values] as const);
    const wanted = lists.reduce((product, values) => product * values.length, 1);
    const { cells } = combine({ axes, exclude: [], include: [], maxCells: 100 });
    if (wanted > 100) assert.equal(cells, undefined);
    else {
      assert.equal(cells?.length, wanted);
      assert.equal(new Set(cells?.map((cell) => JSON.stringify(cell))).size, wanted);
    }
  }));
});

Deno.test("a condition on the values of a cell belongs to the cell, any other to the group", async () => {
  const { pipeline } = await loadText(`
steps:
  - { id: a, matrix: { x: [1, 2] }, if: "matrix.x > 1", run: echo }
  - { id: b, matrix: { x: [1, 2] }, if: "always()", run: echo }
`);
  assert.ok(stepOf(pipeline, "a[x=1]").condition);
  assert.equal(stepOf(pipeline, "a").condition, undefined);
  assert.equal(stepOf(pipeline, "b[x=1]").condition, undefined);
  assert.ok(stepOf(pipeline, "b").condition);
});

Deno.test("an axis may be an expression over inputs", async () => {
  const file = `
inputs: { lrs: { default: "[0.1, 0.2]" } }
steps:
  - { id: a, matrix: { lr: "\${{ fromJSON(inputs.lrs) }}" }, run: echo }
`;
  const { pipeline } = await loadText(file);
  assert.deepEqual(pipeline.steps.map((step) => step.id), ["a[lr=0.1]", "a[lr=0.2]", "a"]);
  assert.deepEqual(await mistakesOf(file, { inputs: { lrs: "3" } }), ["4:28 bad-axis"]);
});

Deno.test("an axis over an input without a value has one cell where no values are asked for", async () => {
  const file = `
inputs: { lrs: { required: true } }
steps:
  - { id: a, matrix: { lr: "\${{ fromJSON(inputs.lrs) }}" }, run: echo }
`;
  const { pipeline } = await loadText(file, { requireInputs: false });
  assert.deepEqual(pipeline.steps.map((step) => step.id), ["a[lr=null]", "a"]);
});

Deno.test("an exclude that fits nothing is a warning", async () => {
  const file = "steps:\n  - { id: a, matrix: { x: [1], exclude: [{ x: 2 }] }, run: echo }\n";
  const { warnings } = await loadText(file);
  assert.deepEqual(warnings.map(({ rule, severity }) => [rule, severity]), [
    ["idle-exclude", "warning"],
  ]);
});

Deno.test("lists and maps in a matrix are named by their number", async () => {
  const { pipeline } = await loadText(
    "steps:\n  - { id: a, matrix: { c: [{ x: 1 }, { x: 2 }] }, run: 'echo ${{ matrix.c.x }}' }\n",
  );
  assert.deepEqual(pipeline.steps.map((step) => step.id), ["a[c=#1]", "a[c=#2]", "a"]);
});

Deno.test("what has no place in one line of text is named by its beginning and number", async () => {
  const values = [
    "a\\nb",
    "a\\0b",
    "\\ud83d!",
    "plain",
    `${"x".repeat(31)}\\ud83d\\ude00 and more words`,
  ];
  const { pipeline } = await loadText(`
steps:
  - { id: s, run: x, matrix: { v: [${values.map((value) => `"${value}"`).join(", ")}] } }
`);
  const ids = pipeline.steps.map(({ id }) => id).filter((id) => id !== "s");
  assert.deepEqual(ids, [
    "s[v=a b…#1]",
    "s[v=a b…#2]",
    "s[v=!…#3]",
    "s[v=plain]",
    `s[v=${"x".repeat(31)}…#5]`,
  ]);
});

Deno.test("a matrix past ten thousand cells is refused", async () => {
  const values = `[${Array.from({ length: 101 }, (_, i) => i).join(", ")}]`;
  const file = `steps:\n  - { id: a, matrix: { x: ${values}, y: ${values} }, run: echo }\n`;
  assert.deepEqual(await mistakesOf(file), ["2:14 large-matrix"]);
});
