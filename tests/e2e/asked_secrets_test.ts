/** Which secrets a run asks for, and what happens where one does not come. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, startGrid, until } from "../support/cli.ts";

Deno.test("Ctrl-C ends a run whose secret hangs at once", async () => {
  using folder = project({
    "p.yaml": `secrets:
  SLOW: { from: command, run: [sh, -c, "touch asked; exec sleep 50"] }
steps:
  - { id: a, node: local, secrets: SLOW, run: "true" }
`,
  });
  await using run = startGrid(["run", "p.yaml"], { cwd: folder.path });
  await until(() => existsSync(join(folder.path, "asked")), { what: "the question" });
  const began = Date.now();
  run.signal("SIGINT");
  const { code, stderr } = await run.ended;
  assert.equal(code, 130, stderr);
  assert.ok(Date.now() - began < 10_000, "it waited for the command");
});

Deno.test("grid run reads only the secrets that the steps to be run list", async () => {
  using folder = project({
    "p.yaml": `secrets: [GRID_TEST_GONE, GRID_TEST_UNUSED]
steps:
  - { id: a, node: local, secrets: GRID_TEST_GONE, run: "true" }
  - { id: b, needs: a, node: local, run: "true" }
`,
  });
  const options = { cwd: folder.path };
  assert.equal((await grid(["run", "p.yaml", "--only", "b"], options)).code, 0);
  assert.equal((await grid(["run", "p.yaml", "--from", "b"], options)).code, 0);
  const all = await grid(["run", "p.yaml"], options);
  assert.equal(all.code, 2);
  assert.match(all.stderr, /secret "GRID_TEST_GONE": .* is not set/);
  const some = await grid(["run", "p.yaml"], { ...options, env: { GRID_TEST_GONE: "x" } });
  assert.equal(some.code, 0, some.stderr);
});
