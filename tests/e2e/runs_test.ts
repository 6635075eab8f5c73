/** Runs are found again by what people remember of them. */
import assert from "node:assert/strict";
import { tempDir } from "../support/temp_dir.ts";
import { grid, project } from "../support/cli.ts";

const PIPELINE = `name: train
inputs: { lr: { type: number, default: 0.1 }, data: { type: string, default: digits } }
steps:
  - id: fit
    node: local
    env: { LR: "\${{ inputs.lr }}" }
    run: |
      echo "accuracy=0.$(printf %s "$LR" | tr -d '.')5" >> "$GRID_OUTPUT"
      [ "$LR" != 9 ]
`;

Deno.test("grid runs finds runs by pipeline, state, time and input, shows outputs, and keeps notes", async () => {
  using folder = project({
    "train.yaml": PIPELINE,
    "other.yaml": "name: other\nsteps: [{ id: a, node: local, run: 'true' }]\n",
  });
  const call = async (...args: string[]) => await grid(args, { cwd: folder.path });
  const listed = async (...args: string[]) => {
    const { code, stdout, stderr } = await call("runs", ...args, "--json");
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).runs;
  };
  assert.equal((await call("run", "train.yaml", "--quiet")).code, 0);
  assert.equal((await call("run", "train.yaml", "--quiet", "-i", "lr=9")).code, 1);
  assert.equal((await call("run", "other.yaml", "--quiet")).code, 0);

  const all = await listed("--columns", "accuracy,fit.accuracy,lr,none");
  assert.deepEqual(all.map(({ pipeline }: { pipeline: string }) => pipeline), [
    "other",
    "train",
    "train",
  ]);
  assert.deepEqual(all[2].inputs, { lr: 0.1, data: "digits" });
  assert.deepEqual(all[2].outputs, { accuracy: "0.015", "fit.accuracy": "0.015", lr: 0.1 });
  assert.deepEqual(all[0].outputs, {});

  const names = (rows: readonly { run: string }[]) => rows.map(({ run }) => run);
  const [other, failed, fine] = names(all);
  assert.deepEqual(names(await listed("--pipeline", "train")), [failed, fine]);
  assert.deepEqual(names(await listed("--state", "failed,stopped")), [failed]);
  assert.deepEqual(names(await listed("-i", "lr=0.1")), [fine]);
  assert.deepEqual(names(await listed("--since", "1h", "-n", "1")), [other]);
  assert.deepEqual(names(await listed("--since", "2999-01-01")), []);
  assert.match((await call("runs", "--state", "cancelled")).stdout, /^no such runs/);

  assert.equal((await call("runs", fine ?? "", "--note", "baseline\x1b[2J")).code, 0);
  const { stdout } = await call("runs", "--columns", "accuracy");
  assert.match(stdout, /^RUN .* accuracy +SIZE +INPUTS$/m);
  assert.match(stdout, /0\.015 .*lr=0\.1 data=digits\n {2}baseline/);
  assert.ok(!stdout.includes("\x1b"));
  assert.equal((await call("runs", fine ?? "", "--note", "")).code, 0);
  assert.doesNotMatch((await call("runs")).stdout, /baseline/);

  const differs = await call("diff", "train@2");
  assert.match(differs.stdout, /^took +\d.*\n\nINPUT .*\nlr +0\.1 +9\n\nRESULT /m);
  assert.match(differs.stdout, /^fit +succeeded .* on local +failed .* on local$/m);
  assert.match(differs.stdout, /^equal: 1 input$/m);
  assert.equal((await call("diff", "train")).stdout, differs.stdout);
  const { one, inputs } = JSON.parse((await call("diff", "train", "--json")).stdout);
  assert.deepEqual([one, inputs[0]], [fine, { name: "lr", one: 0.1, other: 9, differs: true }]);
  assert.match((await call("diff", "other")).stderr, /"other" has not run so often/);

  for (const wrong of [["--state", "good"], ["--since", "yesterday"], ["last"], ["-i", "lr"]]) {
    assert.equal((await call("runs", ...wrong)).code, 2, wrong.join(" "));
  }
});

Deno.test("looking at runs where there is none makes nothing", async () => {
  using folder = tempDir();
  for (
    const words of [["runs"], ["runs", "--json"], ["logs"], ["show", "last"], ["plan", "x.yaml"]]
  ) {
    await grid(words, { cwd: folder.path });
    assert.deepEqual([...Deno.readDirSync(folder.path)], [], words.join(" "));
  }
  const { code, stdout } = await grid(["runs", "--json"], { cwd: folder.path });
  assert.deepEqual([code, JSON.parse(stdout)], [0, { runs: [] }]);
});
