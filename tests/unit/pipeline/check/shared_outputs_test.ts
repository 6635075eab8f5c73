import assert from "node:assert/strict";
import { warnings } from "../../../support/warnings.ts";

/** A step with a matrix, whose `loss` is read from a file. */
function sweep({ matrix = "lr: [1e-3, 1e-4]", path = "out/m.json", more = "" }): string {
  return `
steps:
  - id: sweep
    matrix: { ${matrix} }
    run: python train.py
    outputs: { loss: { from: file, path: "${path}", json: .loss } }
    ${more}
`;
}

Deno.test("cells that would read one file are warned of, with a name that is the cell's own", async () => {
  assert.deepEqual(await warnings(sweep({})), [
    '6:42 cells on one node run in one folder, so "loss" may be read from a file that another cell wrote',
  ]);
  assert.equal((await warnings(sweep({ path: "/tmp/m.json" }))).length, 1, "an absolute one too");
  assert.equal(
    (await warnings(sweep({ matrix: "lr: [1], include: [{ lr: 2 }, { lr: 3 }]" }))).length,
    1,
  );
});

Deno.test("cells whose file, folder or node is their own are not warned of, nor those that take turns", async () => {
  const fine = [
    sweep({ path: "m-${{ matrix.lr }}.json" }),
    sweep({ more: "working-directory: out/${{ matrix.lr }}" }),
    sweep({ matrix: "gpu: [gpu1, gpu2]", more: "node: ${{ matrix.gpu }}" }),
    sweep({ matrix: "lr: [1, 2], max-parallel: 1" }),
    sweep({ matrix: "lr: [1]" }),
  ];
  for (const text of fine) assert.deepEqual(await warnings(text), [], text);
});
