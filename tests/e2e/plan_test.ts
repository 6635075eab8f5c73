import assert from "node:assert/strict";
import { grid, project } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";
import { story } from "../support/story.ts";

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

story(
  "grid plan shows the graph and the values, and starts nothing",
  { "p.yaml": PIPELINE },
  async ({ when }) => {
    const plan = (await when("plan p.yaml -i epochs=7 --json")).json();
    assert.deepEqual(plan.inputs, { epochs: 7 });
    assert.deepEqual(
      plan.steps.map((step: { id: string; wave: number }) => [step.id, step.wave]),
      [["code", 1], ["gpu", 1], ["train", 2]],
    );
  },
);

story(
  "grid plan --from without --resume is refused, not ignored",
  { "p.yaml": PIPELINE },
  async ({ when }) => {
    await when("plan p.yaml --from code", {
      exit: 2,
      screen: /Cannot plan --from code: .*\nhint: add --resume/,
    });
  },
);

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

story(
  "grid plan --resume says what would be used again",
  {
    "p.yaml": `name: two
steps:
  - { id: good, node: local, run: "true" }
  - { id: bad, needs: good, node: local, run: "test -f mended" }
`,
  },
  async ({ when }) => {
    await when("run p.yaml", { exit: 1 });
    const { steps } = (await when("plan p.yaml --resume last --json")).json();
    assert.deepEqual(steps.map((step: { will: string }) => step.will), ["reuse", "run"]);
  },
);

story(
  "grid plan --resume takes the inputs of that run, which -i changes",
  {
    "p.yaml": `name: p
inputs: { epochs: { type: integer, default: 3 } }
steps:
  - { id: a, node: local, env: { E: "\${{ inputs.epochs }}" }, run: "true" }
`,
    "inputs.yaml": "epochs: 7\n",
  },
  async ({ when }) => {
    await when("run p.yaml -i epochs=9");
    const plan = async (words = "") => {
      const { inputs, steps } = (await when(`plan p.yaml --resume last --json${words}`)).json();
      return [inputs.epochs, steps[0].will];
    };
    assert.deepEqual(await plan(), [9, "reuse"]);
    assert.deepEqual(await plan(" -i epochs=3"), [3, "run"]);
    await when("plan p.yaml --resume last --inputs inputs.yaml", {
      exit: 2,
      screen: /a resumed run keeps its inputs/,
    });
  },
);

story(
  "grid run and grid plan warn of cache.inputs that match no file",
  {
    "data/a.csv": "1",
    "p.yaml": `name: p
steps:
  - { id: a, node: local, run: "true", cache: { inputs: ["data/*.csv", "dta/*.csv"], files: [] } }
`,
  },
  async ({ when }) => {
    const warning = /warning: .*cache\.inputs: "dta\/\*\.csv" matches no file/;
    await when("plan p.yaml", { screen: warning });
    await when("run p.yaml", { screen: warning });
    await when("run p.yaml", { screen: [warning, /reused/] });
  },
);
