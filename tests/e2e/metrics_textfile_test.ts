import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";

Deno.test("grid metrics --textfile replaces the file whole, for the collector's account to read", async () => {
  using folder = project({
    "p.yaml": "name: p\nsteps:\n  - { id: a, node: local, run: 'true' }\n",
  });
  const cwd = folder.path;
  assert.equal((await grid(["run", "p.yaml"], { cwd })).code, 0);
  Deno.writeTextFileSync(join(cwd, "grid.prom"), "old\n");
  const { code, stdout, stderr } = await grid(["metrics", "--textfile", "grid.prom"], { cwd });
  assert.deepEqual([code, stdout, stderr], [0, "", ""]);
  assert.match(
    Deno.readTextFileSync(join(cwd, "grid.prom")),
    /grid_last_run_failed\{pipeline="p"\} 0/,
  );
  assert.equal((Deno.statSync(join(cwd, "grid.prom")).mode ?? 0) & 0o777, 0o644);
  const names = [...Deno.readDirSync(cwd)].map(({ name }) => name).filter((name) =>
    name.startsWith("grid.prom")
  );
  assert.deepEqual(names, ["grid.prom"]);
});

Deno.test("grid metrics --textfile leaves the old file where it cannot write a new one", async () => {
  using folder = project({});
  const { code, stderr } = await grid(["metrics", "--textfile", "none/grid.prom"], {
    cwd: folder.path,
  });
  assert.equal(code, 2);
  assert.match(stderr, /^error: Cannot write the metrics to ".*": its folder does not exist$/m);
});
