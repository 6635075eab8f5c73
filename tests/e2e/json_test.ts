/** Every command has an object for programs. */
import assert from "node:assert/strict";
import { grid, project } from "../support/cli.ts";

const PIPELINE = `name: two
steps:
  - { id: a, node: local, run: echo made }
  - { id: b, needs: a, if: success(), node: local, run: "true" }
hooks:
  exit: [{ id: tidy, node: local, run: "true" }]
`;

Deno.test("--json is one object with commands that draw, print logs, count, or tell the version", async () => {
  using folder = project({ "p.yaml": PIPELINE });
  const options = { cwd: folder.path };
  const json = async (...line: string[]) => {
    const { code, stdout, stderr } = await grid([...line, "--json"], options);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  assert.deepEqual(Object.keys(await json("--version")), [
    "version",
    "commit",
    "deno",
    "folder",
  ]);
  const graph = await json("graph", "p.yaml");
  assert.deepEqual(
    [graph.name, graph.steps.map(({ id }: { id: string }) => id), graph.hooks[0].moment],
    ["two", ["a", "b"], "exit"],
  );
  assert.equal(graph.steps[1].if, "success()");
  assert.equal((await grid(["run", "p.yaml"], options)).code, 0);
  const { logs } = await json("logs", "last", "a");
  assert.deepEqual([logs.length, logs[0].step, logs[0].attempt, logs[0].bytes], [1, "a", 1, 5]);
  assert.equal(Deno.readTextFileSync(logs[0].file), "made\n");
  const { metrics } = await json("metrics");
  const runs = metrics.find(({ name }: { name: string }) => name === "grid_runs_completed_total");
  assert.deepEqual(runs.values[0], {
    name: "grid_runs_completed_total",
    labels: { pipeline: "two", status: "succeeded" },
    value: 1,
  });
});

Deno.test("--json is refused where its object could never be whole", async () => {
  using folder = project({ "p.yaml": PIPELINE });
  const options = { cwd: folder.path };
  for (const line of [["logs", "-f"], ["graph", "p.yaml", "--format", "svg"]]) {
    const { code, stdout } = await grid([...line, "--json"], options);
    assert.deepEqual([code, JSON.parse(stdout).error.code], [2, "usage"]);
  }
});
