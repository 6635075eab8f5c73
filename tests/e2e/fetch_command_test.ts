/** Files by hand: brought home from where a step ran, and proved or explained before a sync. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid } from "../support/cli.ts";
import { readTree } from "../support/sync_rig.ts";
import { tempDir } from "../support/temp_dir.ts";

const PIPELINE = `name: sweep
inputs: { skip: { default: "*.log" } }
steps:
  - id: code
    sync: { from: src, as: app, to: [n1], exclude: ["\${{ inputs.skip }}"] }
  - id: try
    needs: code
    matrix: { n: [1, 2] }
    node: n\${{ matrix.n }}
    run: mkdir -p out && echo \${{ matrix.n }} > out/n && touch out/own-\${{ matrix.n }}
`;

Deno.test("grid fetch brings files from nodes and steps; grid sync explains a pipeline and proves a node", async () => {
  using temp = tempDir();
  const project = join(temp.path, "project");
  Deno.mkdirSync(join(project, "config"), { recursive: true });
  Deno.mkdirSync(join(project, "src"));
  Deno.writeTextFileSync(join(project, "src/a.py"), "a");
  Deno.writeTextFileSync(join(project, "src/b.log"), "b");
  Deno.writeTextFileSync(join(project, "p.yaml"), PIPELINE);
  const nodes = ["n1", "n2"].map((name) =>
    `{ name: ${name}, transport: local, remote_root: ${join(temp.path, name)} }`
  );
  Deno.writeTextFileSync(
    join(project, "config/cluster_config.yaml"),
    `nodes: [${nodes.join(", ")}]\n`,
  );
  const run = (...args: string[]) => grid(args, { cwd: project });
  const ok = async (...args: string[]) => {
    const result = await run(...args);
    assert.equal(result.code, 0, result.stderr);
    return result;
  };

  const before = await ok("sync", "p.yaml", "--dry-run", "-i", "skip=*.tmp", "--json");
  const { syncs } = JSON.parse(before.stdout);
  assert.deepEqual(
    syncs.map((
      { step, nodes: [node] }: { step: string; nodes: { send: { path: string }[] }[] },
    ) => [
      step,
      node?.send.map(({ path }) => path),
    ]),
    [["code", ["a.py", "b.log"]]],
  );
  await ok("run", "p.yaml");
  // One in which the step was left out is not the last that worked.
  await ok("run", "p.yaml", "--only", "code");
  const leftOut = await run("fetch", "out/n", "--step", "try", "--run", "sweep");
  assert.equal(leftOut.code, 2);
  assert.match(
    leftOut.stderr,
    /"try" worked on no node in run \S+\nhint: in run (\S+) it did: --run \1\n/,
  );

  // From every cell, each from its own node; of two files with one name none is lost.
  await ok("fetch", "out/n", "--step", "try", "--to", "got/{node}");
  assert.deepEqual(readTree(join(project, "got")), {
    "n1": "folder",
    "n1/out": "folder",
    "n1/out/n": "file 1\n",
    "n2": "folder",
    "n2/out": "folder",
    "n2/out/n": "file 2\n",
  });
  const clash = await run("fetch", "out/n", "--step", "try", "--to", "clash");
  assert.equal(clash.code, 1);
  assert.match(clash.stderr, /has brought another file of that name/);
  await ok("fetch", "out/own-*", "--step", "try", "--to", "clash");
  assert.deepEqual(Object.keys(readTree(join(project, "clash/out"))).toSorted().slice(-2), [
    "own-1",
    "own-2",
  ]);

  // From a node by name; told, and not done.
  const dry = await ok("fetch", "out/*", "--node", "n1", "--folder", "app", "--dry-run");
  assert.match(dry.stdout, /bring 2 \(2 B\), 0 here already/);
  assert.equal((await run("fetch", "x")).code, 2);
  assert.match((await run("fetch", "x", "--step", "tri")).stderr, /no run has a step "tri"/);

  // What lies there is read again.
  Deno.writeTextFileSync(join(temp.path, "n1/app/a.py"), "edited");
  const args = ["sync", "src", "--as", "app", "--to", "n1", "--exclude", "*.log", "--verify"];
  const seen = await run(...args, "--dry-run");
  assert.equal(seen.code, 1, seen.stderr);
  assert.match(seen.stdout, /1 file compared by SHA-256; 1 differ: a\.py/);
  await ok(...args);
  assert.equal(Deno.readTextFileSync(join(temp.path, "n1/app/a.py")), "a");
  assert.match((await ok(...args, "--dry-run")).stdout, /all as they were brought/);

  // A source that would empty the node is refused in the dry run too.
  Deno.removeSync(join(project, "src/a.py"));
  const emptied = await run(...args.slice(0, -1), "--dry-run");
  assert.equal(emptied.code, 1, emptied.stderr);
  assert.match(emptied.stdout, /refused .*the source is empty/);
  await ok(...args.slice(0, -1), "--dry-run", "--force");
  await ok("sync", "src", "--as", "app", "--to", "n1", "--undo");
  assert.equal(Deno.readTextFileSync(join(temp.path, "n1/app/a.py")), "edited");
});
