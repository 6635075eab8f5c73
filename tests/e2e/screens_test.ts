import assert from "node:assert/strict";
import { grid, project } from "../support/cli.ts";

const SWEEP = `name: cut
steps:
  - id: c
    matrix:
      learning_rate: [0.0001, 0.0003]
      batch_size: [16]
      optimizer: [adamw, sgd]
    node: local1
    run: echo hi
`;
const CELLS = ["0.0001", "0.0003"].flatMap((rate) =>
  ["adamw", "sgd"].map((name) => `c[learning_rate=${rate},batch_size=16,optimizer=${name}]`)
);

Deno.test("in a pipe, plan, lines and summary have every name whole", async () => {
  using folder = project({ "cut.yaml": SWEEP });
  const { stdout } = await grid(["plan", "cut.yaml"], { cwd: folder.path });
  for (const id of CELLS) assert.ok(stdout.includes(` ${id} `), stdout);
  const { stderr } = await grid(["run", "cut.yaml"], { cwd: folder.path });
  for (const id of CELLS) {
    assert.ok(stderr.includes(`${id}  started on local1\n`), stderr);
    assert.ok(stderr.includes(`✔ ${id} `), stderr);
  }
  assert.ok(!stderr.includes("…"), stderr);
  const shown = await grid(["show"], { cwd: folder.path });
  for (const id of CELLS) assert.ok(shown.stdout.includes(`✔ ${id} `), shown.stdout);
});
