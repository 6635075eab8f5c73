/** What a fix of one step costs: `--from`, `--only`, `inputs:`, `cache.files`, and a folder that stays. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CliResult, grid, project, startGrid, until } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const CLUSTER =
  "nodes: [{ name: here, transport: local }]\nremote_root: work\njobs: { lease: 4 }\n";

/** `train` costs hours; each time it ran it leaves a line outside of all trees. */
const PIPELINE = `name: stale
steps:
  - { id: code, sync: { from: src, to: [here], as: app } }
  - id: train
    needs: code
    node: here
    run: echo trained >> ../trained; echo weights > model.ckpt
  - { id: eval, needs: train, node: here, run: sh eval.sh }
`;

function folderWith(files: Readonly<Record<string, string>>): TempDir {
  return project({ "cluster.yaml": CLUSTER, ...files });
}

function run(folder: TempDir, ...args: string[]): Promise<CliResult> {
  return grid([...args, "--config", "cluster.yaml"], { cwd: folder.path });
}

function write(folder: TempDir, name: string, text: string): void {
  Deno.writeTextFileSync(join(folder.path, name), text);
}

function lines(folder: TempDir, name: string): number {
  return Deno.readTextFileSync(join(folder.path, name)).split("\n").length - 1;
}

Deno.test("a fix of a late step keeps the training: --from and --only bring the new file", async () => {
  using folder = folderWith({ "p.yaml": PIPELINE, "src/eval.sh": "cat model.ckpt; exit 1" });
  assert.equal((await run(folder, "run", "p.yaml")).code, 1);
  write(folder, "src/eval.sh", "cat model.ckpt; echo first fix");
  const from = await run(folder, "resume", "--from", "eval");
  assert.equal(from.code, 0, from.stderr);
  assert.match(from.stderr, /eval +│ first fix/);
  assert.match(
    from.stderr,
    /train +warning: its earlier result stands, though it is stale: "code" brings other files/,
  );
  write(folder, "src/eval.sh", "cat model.ckpt; echo second fix");
  const only = await run(folder, "resume", "--only", "eval");
  assert.equal(only.code, 0, only.stderr);
  assert.match(only.stderr, /eval +│ second fix/);
  write(folder, "src/eval.sh", "cat model.ckpt; echo third fix");
  const alone = await run(folder, "run", "p.yaml", "--only", "eval");
  assert.match(alone.stderr, /eval +│ third fix/);
  assert.equal(lines(folder, "work/trained"), 1);
});

Deno.test("a step that names its inputs is repeated only where one of these changed", async () => {
  using folder = folderWith({
    "p.yaml": PIPELINE.replace("needs: code\n", "needs: code\n    inputs: [src/train.py]\n"),
    "src/eval.sh": "exit 1",
    "src/train.py": "1",
  });
  assert.equal((await run(folder, "run", "p.yaml")).code, 1);
  write(folder, "src/eval.sh", "echo fixed");
  const fixed = await run(folder, "resume");
  assert.equal(fixed.code, 0, fixed.stderr);
  assert.equal(lines(folder, "work/trained"), 1);
  write(folder, "src/train.py", "2");
  const nothing = await run(folder, "resume");
  assert.equal(nothing.code, 2);
  assert.match(nothing.stderr, /no run of a pipeline that did not succeed/);
  const changed = await run(folder, "resume", "last");
  assert.equal(changed.code, 0, changed.stderr);
  assert.equal(lines(folder, "work/trained"), 2);
});

Deno.test("a cached step is reused only where what it made is there and unchanged", async () => {
  const cached = `name: cached
steps:
  - id: prepare
    node: here
    cache: { files: [prepared/] }
    run: mkdir -p prepared; echo rows > prepared/x; echo made >> ../made
  - { id: use, needs: prepare, node: here, run: cat prepared/x }
`;
  using folder = folderWith({ "p.yaml": cached });
  const made = async () => {
    const { code, stderr } = await run(folder, "run", "p.yaml");
    assert.equal(code, 0, stderr);
    return { made: lines(folder, "made"), stderr };
  };
  assert.equal((await made()).made, 1);
  assert.equal((await made()).made, 1);
  write(folder, "work/prepared/x", "edited by hand");
  const edited = await made();
  assert.equal(edited.made, 2);
  assert.match(
    edited.stderr,
    /its cached result does not stand: prepared\/x is not as it was left on here/,
  );
  assert.match(
    (await run(folder, "why", "last", "prepare")).stdout,
    /succeeded.*; cache not used, because prepared\/x is not as it was left on here/,
  );
  Deno.removeSync(join(folder.path, "work/prepared"), { recursive: true });
  assert.equal((await made()).made, 3);
  assert.match(
    (await run(folder, "why", "last", "prepare")).stdout,
    /; cache not used, because prepared\/x is gone on here/,
  );
  assert.equal((await made()).made, 3);
});

Deno.test("what is cached is what was synced, whatever became of the source meanwhile", async () => {
  const cached = `name: cached
steps:
  - { id: code, sync: { from: src, to: [here], as: app } }
  - id: wait
    needs: code
    node: here
    run: ': > ../began; while [ ! -e ../go ]; do sleep 0.05; done'
  - id: use
    needs: wait
    node: here
    cache: { inputs: [src/v.txt], files: [] }
    run: echo "v=$(cat v.txt)" >> "$GRID_OUTPUT"
`;
  using folder = folderWith({ "p.yaml": cached, "src/v.txt": "old" });
  const seen = ({ stdout }: CliResult) => JSON.parse(stdout).steps[2].outputs.v;
  const args = ["run", "p.yaml", "--json", "--config", "cluster.yaml"];
  await using first = startGrid(args, { cwd: folder.path });
  await until(() => existsSync(join(folder.path, "work/began")), { what: "the first step" });
  write(folder, "src/v.txt", "new");
  write(folder, "work/go", "");
  assert.equal(seen(await first.ended), "old");
  assert.equal(seen(await run(folder, "run", "p.yaml", "--json")), "new");
  write(folder, "src/v.txt", "old");
  const again = await run(folder, "run", "p.yaml", "--json");
  assert.equal(seen(again), "old");
  assert.match(again.stderr, /use +reused/);
});

Deno.test("GRID_STATE_DIR is the same through kill -9, resume, retries and new runs, and a cell's own", async () => {
  const pipeline = `name: state
steps:
  - id: train
    node: here
    matrix: { seed: [1, 2] }
    env: { SEED: "\${{ matrix.seed }}" }
    run: |
      echo "$SEED" >> "$GRID_STATE_DIR/epochs"
      cp "$GRID_STATE_DIR/epochs" "epochs$SEED"
      : > "began$SEED"
      while [ ! -e go ]; do sleep 0.05; done
`;
  using folder = folderWith({ "p.yaml": pipeline });
  const work = (name: string) => join(folder.path, "work", name);
  const args = ["run", "p.yaml", "--config", "cluster.yaml"];
  await using killed = startGrid(args, { cwd: folder.path });
  await until(() => existsSync(work("began1")) && existsSync(work("began2")), { what: "both" });
  await killed.kill();
  write(folder, "work/go", "");
  const resumed = await run(folder, "resume");
  assert.equal(resumed.code, 0, resumed.stderr);
  const last = await run(folder, "run", "p.yaml");
  assert.equal(last.code, 0, last.stderr);
  // Taken over, or started again where the job's lease was over; then the new run.
  assert.match(Deno.readTextFileSync(work("epochs1")), /^1\n1\n(1\n)?$/);
  assert.match(Deno.readTextFileSync(work("epochs2")), /^2\n2\n(2\n)?$/);
});

Deno.test("a fetch of what no command of its run wrote is warned of, unless an earlier result stands", async () => {
  const fetching = `name: fetching
inputs: { writes: { default: echo } }
steps:
  - { id: code, sync: { from: src } }
  - id: train
    needs: code
    node: here
    cache: { files: [model.pt] }
    env: { WRITES: "\${{ inputs.writes }}" }
    run: |
      mkdir -p ckpt
      case $WRITES in
        echo) echo 1 > model.pt; echo 1 > ckpt/a.pt ;;
        unpack) touch -d 2001-01-01 model.pt ckpt/a.pt ;;
      esac
  - { id: home, needs: train, node: here, fetch: { from: [model.pt, "ckpt/*", eval.sh], to: out } }
`;
  using folder = folderWith({ "p.yaml": fetching, "src/eval.sh": "true" });
  const warned = async (...args: string[]) => {
    const { code, stderr } = await run(folder, "run", "p.yaml", ...args);
    assert.equal(code, 0, stderr);
    return stderr.split("\n").filter((line) => /^warning: home: .*earlier time/.test(line));
  };
  assert.deepEqual(await warned(), []);
  // Nobody can make a file older than it is, and whole seconds and two clocks are allowed for.
  await new Promise((resolve) => setTimeout(resolve, 3500));
  const [model, checkpoints, ...others] = await warned("-i", "writes=nothing");
  assert.match(
    model ?? "",
    /what it fetches is .*: "model\.pt" was written \d\S* before this run/,
  );
  assert.match(checkpoints ?? "", /all that "ckpt\/\*" fetches is .*: "ckpt\/a\.pt" was written/);
  assert.deepEqual(others, []);
  // Its cached result stands.
  assert.deepEqual(await warned("-i", "writes=nothing"), []);
  // What is unpacked brings its own times.
  assert.deepEqual(await warned("-i", "writes=unpack"), []);
});

const COUNTING = `name: counting
steps:
  - { id: code, sync: { from: src, as: app } }
  - id: train
    needs: code
    node: here
    run: |
      echo epoch >> "$GRID_STATE_DIR/epochs"
      echo "epochs=$(wc -l < "$GRID_STATE_DIR/epochs")" >> "$GRID_OUTPUT"
`;

/** How many times the step's folder that stays has seen it, after one more run in that folder. */
async function epochsIn(
  folder: string,
): Promise<{ readonly epochs: string; readonly stderr: string }> {
  const args = ["run", "p.yaml", "--config", "cluster.yaml"];
  const { code, stderr } = await grid(args, { cwd: folder });
  assert.equal(code, 0, stderr);
  return { epochs: /^ +train\.epochs +(\d+)$/m.exec(stderr)?.[1] ?? "", stderr };
}

Deno.test("checkpoints and code stay a project's when its folder is renamed; a copy has its own", async () => {
  using nodes = tempDir();
  const cluster = CLUSTER.replace("remote_root: work", `remote_root: ${nodes.path}`);
  using folder = project({
    "one/cluster.yaml": cluster,
    "one/.grid/x": "",
    "one/p.yaml": COUNTING,
    "one/src/a": "a",
  });
  const [one, two, three] = ["one", "two", "three"].map((name) => join(folder.path, name));
  assert.ok(one && two && three);
  assert.equal((await epochsIn(one)).epochs, "1");
  Deno.renameSync(one, two);
  assert.equal((await epochsIn(two)).epochs, "2");
  assert.equal((await epochsIn(two)).epochs, "3");
  await new Deno.Command("cp", { args: ["-r", two, three] }).output();
  assert.equal((await epochsIn(three)).epochs, "1");
  assert.equal((await epochsIn(two)).epochs, "4");
});

testWith(
  ["git"],
  "checkpoints and code stay a project's when its repository gets an address",
  async () => {
    using folder = folderWith({ "p.yaml": COUNTING, "src/a": "a" });
    const git = (...args: string[]) => new Deno.Command("git", { args, cwd: folder.path }).output();
    await git("init", "-q");
    assert.equal((await epochsIn(folder.path)).epochs, "1");
    await git("remote", "add", "origin", "https://example.org/ml/train.git");
    const second = await epochsIn(folder.path);
    assert.equal(second.epochs, "2");
    assert.doesNotMatch(second.stderr, /belongs to another project/);
  },
);

Deno.test("a job that is taken over with other files than it began with is told, and done again next time", async () => {
  const pipeline = `name: taken
steps:
  - { id: code, sync: { from: src, as: app } }
  - id: train
    needs: code
    node: here
    run: ": > ../began; while [ ! -e ../go ]; do sleep 0.05; done; cat a"
`;
  using folder = folderWith({ "p.yaml": pipeline, "src/a": "old" });
  const work = (name: string) => join(folder.path, "work", name);
  const args = ["run", "p.yaml", "--config", "cluster.yaml"];
  await using killed = startGrid(args, { cwd: folder.path });
  await until(() => existsSync(work("began")), { what: "the job" });
  await killed.kill();
  write(folder, "src/a", "new");
  await using resuming = startGrid(["resume", ...args.slice(2)], { cwd: folder.path });
  await until(() => Deno.readTextFileSync(work("app/a")) === "new", { what: "the new file" });
  write(folder, "work/go", "");
  const resumed = await resuming.ended;
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.match(
    resumed.stderr,
    /^warning: train: its job of run \S+ is taken over, though it is stale: "code" brings other files/m,
  );
  const next = await run(folder, "resume", "last");
  assert.match(next.stderr, /train +│ new/);
  assert.doesNotMatch(next.stderr, /taken over/);
});

Deno.test("cells that name no node run where their code is", async () => {
  using folder = project({
    "cluster.yaml": ["a", "b", "c"].reduce(
      (text, name) => `${text}  - { name: ${name}, transport: local, remote_root: work/${name} }\n`,
      "nodes:\n",
    ),
    "src/v": "here",
    "p.yaml": `name: cells
steps:
  - { id: code, sync: { from: src, to: [b] } }
  - { id: cell, needs: code, matrix: { n: [1, 2, 3, 4] }, run: cat v }
`,
  });
  const away = `name: away
steps:
  - { id: code, sync: { from: src, to: [b] } }
  - id: far
    needs: code
    node: { among: [c] }
    cache: {}
    run: echo "saw=$(cat v)" >> "$GRID_OUTPUT"
`;
  write(folder, "away.yaml", away);
  for (const _ of [1, 2]) {
    const { stderr } = await run(folder, "run", "away.yaml");
    assert.match(stderr, /^warning: far: no sync before it brought anything to c: .* is on b$/m);
    assert.match(stderr, /^✔ far/m);
  }
  const { code, stderr } = await run(folder, "run", "p.yaml");
  assert.equal(code, 0, stderr);
  assert.equal(stderr.match(/│ here$/gm)?.length, 4, stderr);
  const checked = await run(folder, "plan", "p.yaml", "--check");
  assert.match(checked.stderr + checked.stdout, /step cell +.*b would be chosen now/);
});
