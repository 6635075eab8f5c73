/** An account's slow start-up file is paid once per run, however many steps there are. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

testWith(["sshd", "bash"], "a slow .bashrc is paid once per run, not per step", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const [node] = lab.nodes;
  assert.ok(node);
  const runs = join(node.home, "bashrc_runs");
  Deno.writeTextFileSync(
    join(node.home, ".bashrc"),
    `echo run >>${runs}; echo "Welcome"; sleep 0.2\n`,
  );
  const steps = Array.from(
    { length: 12 },
    (_, index) => `  - { id: s${index}, node: node1, run: "sleep ${index % 3}; echo ${index}" }\n`,
  );
  using folder = project({
    "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
    "p.yaml": `name: p\nsteps:\n${steps.join("")}  - id: best\n    select-node: {}\n`,
  });
  const { code, stderr } = await grid(["run", "p.yaml", "--config", "lab.yaml"], {
    cwd: folder.path,
  });
  assert.equal(code, 0, stderr);
  assert.equal(Deno.readTextFileSync(runs), "run\n");
  assert.equal(node.acceptedLogins(), 1);
});

testWith(["sshd", "bash", "python3"], "what a .bashrc prints is no result of a batch", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const [node] = lab.nodes;
  assert.ok(node);
  using folder = project({
    "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
    "p.yaml": "name: p\nsteps:\n  - id: b\n    ray-batch: " +
      "{ command: 'echo $((GRID_TASK * 2))', tasks: { range: 3 } }\n",
  });
  // Lines of a batch's outcomes begin like these.
  for (const greeting of ['=== "Welcome" ===', "=7", "!8", "hi"]) {
    Deno.writeTextFileSync(join(node.home, ".bashrc"), `echo "${greeting}"\n`);
    const { code, stdout, stderr } = await grid(
      ["run", "p.yaml", "--json", "--config", "lab.yaml"],
      {
        cwd: folder.path,
      },
    );
    assert.equal(code, 0, stderr);
    const [batch] = JSON.parse(stdout).steps;
    assert.deepEqual(batch.outputs.results, [0, 2, 4], greeting);
  }
});

testWith(["sshd", "bash"], "a TMPDIR that is not there keeps nothing from its way", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const [node] = lab.nodes;
  assert.ok(node);
  Deno.writeTextFileSync(join(node.home, ".bashrc"), "export TMPDIR=/no/such/folder\n");
  using folder = project({
    "code/a": "a",
    "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
    "p.yaml": `name: p
steps:
  - { id: code, sync: { from: code, to: [node1] } }
  - { id: a, needs: code, node: node1, run: "cat a >b; echo \\"t=$TMPDIR\\" >>$GRID_OUTPUT" }
  - { id: b, needs: a, fetch: { node: node1, from: b, to: out } }
`,
  });
  const cwd = { cwd: folder.path };
  const run = await grid(["run", "p.yaml", "--json", "--config", "lab.yaml"], cwd);
  assert.equal(run.code, 0, run.stderr);
  assert.equal(JSON.parse(run.stdout).steps[1].outputs.t, "/no/such/folder");
  assert.equal(Deno.readTextFileSync(join(folder.path, "out/b")), "a");
  const words = ["sync", "code", "--to", "node1", "--verify", "--config", "lab.yaml"];
  const verified = await grid(words, cwd);
  assert.equal(verified.code, 0, verified.stderr);
});
