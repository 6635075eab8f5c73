/** With `--json` a program reads stdout: one object, whatever went wrong. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";

const BAD = "name: x\nsteps:\n  - { id: a, rnu: echo }\n";

Deno.test("a submission whose run does not begin says the same as a run that does not", async () => {
  using folder = project({
    "bad.yaml": BAD,
    "asks.yaml": "name: x\ninputs: { n: { type: integer, required: true } }\n" +
      "steps: [{ id: a, run: echo }]\n",
    "good.yaml": "name: x\nsteps: [{ id: a, run: echo }]\n",
    "lab.yaml": "nodez: [gpu1]\n",
  });
  for (
    const [words, code, message] of [
      [["bad.yaml"], "pipeline-invalid", /unknown key "rnu"/],
      [["nowhere.yaml"], "usage", /^Cannot read nowhere\.yaml: there is no such file$/],
      [["asks.yaml"], "input-invalid", /"n"/],
      [["good.yaml", "--config", "lab.yaml"], "cluster-invalid", /unknown key "nodez"/],
    ] as const
  ) {
    const [run, submitted] = await Promise.all(
      ["run", "submit"].map((name) => grid([name, ...words, "--json"], { cwd: folder.path })),
    );
    const { error } = JSON.parse(submitted?.stdout ?? "");
    assert.deepEqual([submitted?.code, error.exitCode, error.code], [2, 2, code]);
    assert.match(error.message, message);
    assert.deepEqual(submitted, run);
  }
  assert.deepEqual(
    [...Deno.readDirSync(join(folder.path, ".grid"))].filter(({ name }) =>
      name.startsWith("runner_")
    ),
    [],
  );
});

Deno.test("--json behind -- belongs to the command", async () => {
  using folder = project({});
  const { stdout, code } = await grid(["run", "--gpus", "no", "--", "echo", "--json"], {
    cwd: folder.path,
  });
  assert.deepEqual([code, stdout], [2, ""]);
});

Deno.test("a list from nodes names those that could not be asked", async () => {
  using folder = project({
    "lab.yaml": "nodes: [{ name: gone, host: 127.0.0.1, port: 1 }]\nssh: { max_retries: 0 }\n",
  });
  for (const [name, key] of [["ps", "jobs"], ["services", "services"], ["data", "data"]] as const) {
    const { stdout, code } = await grid([name, "--json", "--config", "lab.yaml"], {
      cwd: folder.path,
    });
    const { [key]: list, silent } = JSON.parse(stdout);
    assert.deepEqual([code, list], [3, []], name);
    assert.deepEqual(silent.map(({ node }: { readonly node: string }) => node), ["gone"]);
    assert.match(silent[0].reason, /nothing listens there/);
  }
});
