import assert from "node:assert/strict";
import { join } from "node:path";
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

const HOOKS = `name: hooked
steps:
  - { id: b, node: local1, run: exit 3 }
  - { id: c, needs: b, matrix: { x: [1, 2] }, node: local1, run: "true" }
hooks:
  success: [{ id: cheer, node: local1, run: "true" }]
  failure:
    - { id: notify, node: local1, run: exit 1 }
    - { id: page, needs: notify, node: local1, run: "true" }
`;

Deno.test("summary, junit.xml, report.json and report.html count the same steps", async () => {
  using folder = project({ "p.yaml": HOOKS });
  const { stderr } = await grid(["run", "p.yaml"], { cwd: folder.path });
  assert.match(stderr, /^\S+ run \S+ of hooked: 3 steps, 3 hooks$/m);
  assert.match(
    stderr,
    /^✖ hooked failed in \S+ \(1 failed, 2 skipped; hooks: 1 failed, 1 skipped\)$/m,
  );
  assert.match(stderr, /^ {2}page: it needs "notify", which failed$/m);
  assert.ok(!stderr.includes("cheer"), stderr);
  const [run] = [...Deno.readDirSync(join(folder.path, ".grid/runs"))];
  const read = (name: string) =>
    Deno.readTextFileSync(join(folder.path, ".grid/runs", run?.name ?? "", name));
  const junit = read("junit.xml");
  assert.match(junit, /name="hooked" tests="3" failures="1" errors="0" skipped="2"/);
  assert.match(junit, /name="hooked hooks" tests="2" failures="1" errors="0" skipped="1"/);
  const report = JSON.parse(read("report.json"));
  assert.deepEqual(report.counts, { failed: 1, skipped: 2 });
  assert.deepEqual(report.hookCounts, { failed: 1, skipped: 1 });
  const counts = /class="counts">(.*)<\/p>/.exec(read("report.html"))?.[1]?.replaceAll(
    /<[^>]*>/g,
    "|",
  );
  assert.deepEqual(counts?.split("|").filter((word) => word !== ""), [
    "1 failed",
    "2 skipped",
    "hooks: ",
    "1 failed",
    "1 skipped",
  ]);
});
