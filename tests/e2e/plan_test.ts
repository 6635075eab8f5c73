import assert from "node:assert/strict";
import { grid, project } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

const PIPELINE = `name: checked
inputs:
  epochs: { type: integer, default: 3 }
secrets: [GRID_TEST_TOKEN]
steps:
  - id: code
    sync: { from: src, to: all }
  - id: gpu
    select-node: { gpus: 8 }
  - id: train
    needs: [code, gpu]
    secrets: [GRID_TEST_TOKEN]
    run: "true"
`;

Deno.test("grid plan shows the graph and the values, and starts nothing", async () => {
  using folder = project({ "p.yaml": PIPELINE });
  const { code, stdout, stderr } = await grid(["plan", "p.yaml", "-i", "epochs=7", "--json"], {
    cwd: folder.path,
  });
  assert.equal(code, 0, stderr);
  const plan = JSON.parse(stdout);
  assert.deepEqual(plan.inputs, { epochs: 7 });
  assert.deepEqual(
    plan.steps.map((step: { id: string; wave: number }) => [step.id, step.wave]),
    [["code", 1], ["gpu", 1], ["train", 2]],
  );
});

Deno.test("grid plan --from without --resume is refused, not ignored", async () => {
  using folder = project({ "p.yaml": PIPELINE });
  const { code, stderr } = await grid(["plan", "p.yaml", "--from", "code"], { cwd: folder.path });
  assert.equal(code, 2);
  assert.match(stderr, /Cannot plan --from code: .*\nhint: add --resume/);
});

testWith(["sshd"], "grid plan --check names every obstacle before anything runs", async () => {
  await using lab = await startOpenSsh({ nodes: 2, gpus: 2 });
  using folder = project({
    "p.yaml": PIPELINE,
    "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
  });
  await lab.nodes[1]?.stop();
  const { code, stdout } = await grid(["plan", "p.yaml", "--check", "--config", "lab.yaml"], {
    cwd: folder.path,
  });
  assert.equal(code, 2, stdout);
  assert.match(stdout, /✔ node node1 +reachable/);
  assert.match(stdout, /✖ node node2 .*refused/);
  assert.match(stdout, /✖ step gpu +no node fits now: .*node1: .*GPU/);
  assert.match(stdout, /✖ step code +src does not exist/);
  assert.match(stdout, /✖ secret GRID_TEST_TOKEN +GRID_TEST_TOKEN is not set/);
});

Deno.test("grid plan --resume says what would be used again", async () => {
  using folder = project({
    "p.yaml": `name: two
steps:
  - { id: good, node: local, run: "true" }
  - { id: bad, needs: good, node: local, run: "test -f mended" }
`,
  });
  const options = { cwd: folder.path };
  assert.equal((await grid(["run", "p.yaml"], options)).code, 1);
  const { stdout, stderr } = await grid(["plan", "p.yaml", "--resume", "last", "--json"], options);
  const will = JSON.parse(stdout).steps.map((step: { will: string }) => step.will);
  assert.deepEqual(will, ["reuse", "run"], stderr);
});

Deno.test("grid plan --resume takes the inputs of that run, which -i changes", async () => {
  using folder = project({
    "p.yaml": `name: p
inputs: { epochs: { type: integer, default: 3 } }
steps:
  - { id: a, node: local, env: { E: "\${{ inputs.epochs }}" }, run: "true" }
`,
    "inputs.yaml": "epochs: 7\n",
  });
  const options = { cwd: folder.path };
  assert.equal((await grid(["run", "p.yaml", "-i", "epochs=9"], options)).code, 0);
  const plan = async (...words: string[]) => {
    const { stdout } = await grid(
      ["plan", "p.yaml", "--resume", "last", "--json", ...words],
      options,
    );
    const { inputs, steps } = JSON.parse(stdout);
    return [inputs.epochs, steps[0].will];
  };
  assert.deepEqual(await plan(), [9, "reuse"]);
  assert.deepEqual(await plan("-i", "epochs=3"), [3, "run"]);
  const file = ["plan", "p.yaml", "--resume", "last", "--inputs", "inputs.yaml"];
  const refused = await grid(file, options);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /a resumed run keeps its inputs/);
});

Deno.test("grid run and grid plan warn of cache.inputs that match no file", async () => {
  using folder = project({
    "data/a.csv": "1",
    "p.yaml": `name: p
steps:
  - { id: a, node: local, run: "true", cache: { inputs: ["data/*.csv", "dta/*.csv"], files: [] } }
`,
  });
  const options = { cwd: folder.path };
  const warning = /warning: .*cache\.inputs: "dta\/\*\.csv" matches no file/;
  assert.match((await grid(["plan", "p.yaml"], options)).stderr, warning);
  assert.match((await grid(["run", "p.yaml"], options)).stderr, warning);
  const reused = await grid(["run", "p.yaml"], options);
  assert.match(reused.stderr, warning);
  assert.match(reused.stderr, /reused/);
});
