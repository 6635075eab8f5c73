/** What grows is bounded: `grid clean`, what goes by itself, and what stays. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, startGrid, until } from "../support/cli.ts";
import { openStore } from "../../src/store/open.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";
import { writeFiles } from "../support/sync_rig.ts";
import { tempDir } from "../support/temp_dir.ts";

/** Folders of runs that began so many days ago; one run really was. */
function age(folder: string, run: string, days: number): string {
  const runs = join(folder, ".grid", "runs");
  const stamp = new Date(Date.now() - days * 86_400_000).toISOString()
    .replaceAll(/[-:]|\.\d+Z$/g, "").replace("T", "-");
  const name = `${stamp}-${run.slice(-4)}`;
  Deno.mkdirSync(join(runs, name, "logs"), { recursive: true });
  Deno.writeTextFileSync(join(runs, name, "logs", "a.txt"), "x".repeat(1000));
  return name;
}

const there = (folder: string, run: string) => existsSync(join(folder, ".grid", "runs", run));

Deno.test("grid clean removes what is old and not among the newest; options alone decide", async () => {
  using folder = project({});
  const cwd = { cwd: folder.path };
  assert.equal((await grid(["run", "true"], cwd)).code, 0);
  const [old, middle] = [age(folder.path, "aaaa", 40), age(folder.path, "bbbb", 10)];

  const few = await grid(["clean"], cwd);
  assert.match(few.stderr, /nothing to remove/, "the newest 50 stay whatever their age");
  const dry = await grid(["clean", "--older", "30d", "--dry-run", "--json"], cwd);
  assert.deepEqual(JSON.parse(dry.stdout), { removed: [old], bytes: 1000, dryRun: true });
  assert.ok(there(folder.path, old));
  const aged = await grid(["clean", "--older", "30d"], cwd);
  assert.match(
    aged.stderr,
    new RegExp(`^removed reports and logs of 1 run \\(1000 B\\): ${old}$`, "m"),
  );
  assert.deepEqual([there(folder.path, old), there(folder.path, middle)], [false, true]);
  await grid(["clean", "--keep", "1"], cwd);
  assert.ok(!there(folder.path, middle));
  assert.equal([...Deno.readDirSync(join(folder.path, ".grid", "runs"))].length, 1);
});

Deno.test("what a cleaned run was is still known: runs, show and the totals do not change", async () => {
  using folder = project({});
  const cwd = { cwd: folder.path };
  for (const word of ["true", "echo two"]) assert.equal((await grid(["run", word], cwd)).code, 0);
  // Nodes and the time are as they are now.
  const totals = async () =>
    (await grid(["metrics", "--no-look"], cwd)).stdout.split("\n")
      .filter((line) => /^grid_(\w+_total|runs_completed|.*_count)\b/.test(line));
  const before = await totals();
  assert.ok(before.length > 5);
  await grid(["clean", "--older", "1ms"], cwd);
  const { runs } = JSON.parse((await grid(["runs", "--json"], cwd)).stdout);
  assert.deepEqual(runs.map(({ bytes }: { readonly bytes: number }) => bytes), [0, 0]);
  assert.match((await grid(["runs"], cwd)).stdout, /SIZE\n(.*cleaned\n){2}/);
  assert.equal((await grid(["show", "last"], cwd)).code, 0);
  assert.deepEqual(await totals(), before);
});

Deno.test("a run under way is never cleaned away", async () => {
  using folder = project({});
  const cwd = { cwd: folder.path };
  await using run = startGrid(["run", "echo begun; sleep 60"], cwd);
  const runs = join(folder.path, ".grid", "runs");
  await until(() => existsSync(runs) && [...Deno.readDirSync(runs)].length === 1);
  const { stderr } = await grid(["clean", "--older", "1ms"], cwd);
  assert.match(stderr, /nothing to remove/);
  assert.equal([...Deno.readDirSync(runs)].length, 1);
  run.signal("SIGTERM");
  await run.ended;
});

Deno.test("a run says which old ones it removed; GRID_RETENTION decides", async () => {
  using folder = project({});
  const cwd = { cwd: folder.path };
  const names = Array.from({ length: 52 }, (_, at) => age(folder.path, `aa${10 + at}`, 90 - at));
  const off = await grid(["run", "true"], { ...cwd, env: { GRID_RETENTION: "off" } });
  assert.doesNotMatch(off.stderr, /removed/);
  const wrong = await grid(["run", "true"], { ...cwd, env: { GRID_RETENTION: "long" } });
  assert.match(wrong.stderr, /GRID_RETENTION is no duration/);
  assert.equal(wrong.code, 2, "and nothing is run");
  const run = await grid(["run", "true"], cwd);
  assert.match(run.stderr, /^removed reports and logs of 4 old runs \(.*; GRID_RETENTION=off/m);
  assert.deepEqual(names.slice(0, 5).map((name) => there(folder.path, name)), [
    ...Array(4).fill(false),
    true,
  ]);
});

const SYNCED = `name: synced
steps:
  - { id: code, sync: { from: src, to: all } }
  - { id: train, node: node1, needs: code, run: "echo w > model.bin; echo begun; test ! -e wait || sleep 300" }
`;

testWith(
  ["sshd"],
  "grid clean --nodes removes the project's old folders there, and no others",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
    const files = (more: Readonly<Record<string, string>>) => ({
      "config/cluster_config.yaml": labConfig({ lab, rayMode: "embedded" }),
      "synced.yaml": SYNCED,
      "src/a.py": "x".repeat(100_000),
      ...more,
    });
    using mine = project(files({}));
    using others = project(files({ "src/wait": "" }));
    const cwd = { cwd: mine.path };
    assert.equal((await grid(["run", "synced.yaml"], cwd)).code, 0);
    await using busy = startGrid(["run", "synced.yaml"], { cwd: others.path });
    await until(() => lab.leftovers().some(({ command }) => /sleep 300/.test(command)));
    const root = lab.nodes[0]?.root ?? "";
    const folders = () => [...Deno.readDirSync(root)].map(({ name }) => name).toSorted();
    const [, own = "", theirs = ""] = folders();
    assert.deepEqual(folders(), [".grid", "src", theirs], "one folder each");
    const clean = async (...words: readonly string[]) => {
      const done = await grid(["clean", "--nodes", "--json", ...words], cwd);
      assert.equal(done.code, 0, done.stderr);
      return JSON.parse(done.stdout).nodes;
    };

    const young = await clean("--dry-run");
    assert.deepEqual(young.map((node: { folders: unknown[] }) => node.folders), [[], [], []]);
    const dry = await clean("--older", "1ms", "--dry-run");
    const [first] = dry;
    assert.deepEqual([first.node, first.folders[0].name], ["node1", own]);
    assert.ok(first.folders[0].bytes > 100_000);
    assert.ok(existsSync(join(root, own, "model.bin")), "only said");
    assert.deepEqual(await clean("--older", "1ms"), dry);
    assert.deepEqual(folders(), [".grid", theirs]);
    assert.deepEqual([...Deno.readDirSync(join(root, ".grid", "sync"))].map(({ name }) => name), [
      theirs,
    ]);

    busy.signal("SIGTERM");
    await busy.ended;
    const again = await grid(["run", "synced.yaml"], cwd);
    assert.equal(again.code, 0, again.stderr);
    await lab.nodes[1]?.stop();
    const away = await grid(["clean", "--nodes", "--older", "1ms"], cwd);
    assert.equal(away.code, 3);
    assert.match(away.stderr, /^removed on node1: folder src \(\d+.*KiB\)$/m);
    assert.match(away.stderr, /node2/);
  },
);

Deno.test("what a project left on a node before its folder was renamed goes too; not that of who has its place now", async () => {
  using home = tempDir();
  const root = join(home.path, "node");
  const files = {
    "lab.yaml": `nodes: [{ name: n, transport: local, remote_root: "${root}" }]\n`,
    "one.yaml": "name: one\nsteps: [{ id: code, sync: { from: lib } }]\n",
    "two.yaml": "name: two\nsteps: [{ id: code, sync: { from: src } }]\n",
    "lib/a.py": "a",
    "src/b.py": "b",
  };
  const before = join(home.path, "before");
  const after = join(home.path, "after");
  writeFiles(before, files);
  const ran = async (cwd: string, ...words: readonly string[]) => {
    const done = await grid([...words, "--config", "lab.yaml"], { cwd });
    assert.equal(done.code, 0, done.stderr);
    return done.stdout;
  };
  const clean = async () =>
    JSON.parse(await ran(after, "clean", "--nodes", "--older", "1ms", "--json")).nodes.flatMap(
      ({ folders }: { readonly folders: readonly { readonly name: string }[] }) =>
        folders.map(({ name }) => name).filter((name) => !name.includes("@")),
    );
  await ran(before, "run", "one.yaml");
  await ran(before, "run", "two.yaml");
  Deno.renameSync(before, after);
  await ran(after, "run", "two.yaml");
  writeFiles(before, files);
  await ran(before, "run", "one.yaml");
  assert.deepEqual(await clean(), ["src"], "the new project at the old place has lib now");
  Deno.removeSync(before, { recursive: true });
  assert.deepEqual(await clean(), ["lib"]);
});

Deno.test("grid clean gives the disk back what the store needs no more", async () => {
  using folder = project({});
  const cwd = { cwd: folder.path };
  assert.equal((await grid(["health"], cwd)).code, 0);
  const path = join(folder.path, ".grid", "grid.db");
  const rows = new Map(
    Array.from(
      { length: 500 },
      (_, at) => [`key${at}`, { at: 1000, json: JSON.stringify("x".repeat(2000)) }] as const,
    ),
  );
  {
    using store = openStore(path);
    store.save(rows);
  }
  const before = Deno.statSync(path).size;
  const { store } = JSON.parse((await grid(["clean", "--json"], cwd)).stdout);
  assert.ok(store.freed > 500_000 && store.bytes < before / 2, JSON.stringify(store));
  assert.equal(Deno.statSync(path).size, store.bytes);
  assert.equal((await grid(["health"], cwd)).code, 0);
});
