/** Which secrets a run asks for, and what happens where one does not come. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { project, startGrid, until } from "../support/cli.ts";
import { story } from "../support/story.ts";

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

story(
  "grid run reads only the secrets that the steps to be run list",
  {
    "p.yaml": `secrets: [GRID_TEST_GONE, GRID_TEST_UNUSED]
steps:
  - { id: a, node: local, secrets: GRID_TEST_GONE, run: "true" }
  - { id: b, needs: a, node: local, run: "true" }
`,
  },
  async ({ when, env }) => {
    await when("run p.yaml --only b");
    await when("run p.yaml --from b");
    await when("run p.yaml", { exit: 2, screen: /secret "GRID_TEST_GONE": .* is not set/ });
    env["GRID_TEST_GONE"] = "x";
    await when("run p.yaml");
  },
);
