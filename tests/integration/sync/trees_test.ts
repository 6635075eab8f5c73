import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { syncFolders } from "../../../src/sync/folders.ts";
import { startSyncRig, type SyncRig } from "../../support/sync_rig.ts";
import { treeRun } from "../../support/tree_rig.ts";

const FILES = { "a.txt": "1", "d/b.txt": "2", "d/deep/c.txt": "3" };

function read(folder: string, path: string): string {
  return Deno.readTextFileSync(join(folder, path));
}

function pins({ root }: SyncRig, key = "app"): string[] {
  const folder = join(root, ".grid", "sync", key, "pins");
  return existsSync(folder) ? [...Deno.readDirSync(folder)].map(({ name }) => name) : [];
}

Deno.test("a run alone uses the plain folder, pins it, and frees it at its end", async () => {
  await using rig = startSyncRig();
  rig.write(FILES);
  {
    await using run = treeRun(rig, "r1");
    const report = await run.sync();
    assert.equal(report.folder, rig.there);
    assert.deepEqual(pins(rig), ["r1"]);
    assert.equal(await run.prove(report), undefined);
    assert.deepEqual(run.told, []);
  }
  assert.deepEqual(pins(rig), []);
  const owner = read(rig.root, ".grid/sync/app/owner");
  assert.match(owner, /^11111111\n\{"account":"ann","machine":"desk",.*"run":"r1"/);
});

for (const moment of ["before its code is read", "while the node answers"] as const) {
  Deno.test(`a sync that is given up ${moment} leaves no pin behind the run`, async () => {
    await using rig = startSyncRig();
    rig.write(FILES);
    {
      await using run = treeRun(rig, "r1");
      if (moment === "before its code is read") {
        await assert.rejects(run.sync({ source: join(rig.folder, "nowhere") }));
      } else {
        const ended = new AbortController();
        const { transport } = rig;
        const late = Object.assign(Object.create(transport), {
          async exec(...[command, options]: Parameters<typeof transport.exec>) {
            const said = await transport.exec(command, { ...options, signal: undefined });
            if (command.includes("grid_tree_look")) ended.abort();
            options?.signal?.throwIfAborted();
            return said;
          },
        });
        const tree = { run: run.run, keeper: run.keeper, writes: [], tell: () => {} };
        const [result] = await syncFolders([{ ...rig.target, transport: late }], {
          ...rig.options,
          tree,
          signal: ended.signal,
        });
        assert.equal(result?.ok, false);
      }
      assert.deepEqual(pins(rig), ["r1"], "the node had taken it");
    }
    assert.deepEqual(pins(rig), []);
    await using next = treeRun(rig, "r2");
    rig.write({ "a.txt": "other" });
    assert.equal((await next.sync()).folder, rig.there);
  });
}

Deno.test("other code beside a run goes to a tree made from what is there; jobs' files stay apart", async () => {
  await using rig = startSyncRig();
  rig.write(FILES);
  await using one = treeRun(rig, "r1");
  const first = await one.sync();
  Deno.writeTextFileSync(join(rig.there, "model.ckpt"), "weights");
  rig.write({ "a.txt": "other" });
  await using two = treeRun(rig, "r2");
  const second = await two.sync();
  assert.equal(second.folder, `${rig.there}@11111111.2`);
  // Only what differs travelled.
  assert.equal(second.sent, 1);
  assert.deepEqual(second.drifted, []);
  assert.equal(read(rig.there, "a.txt"), "1");
  assert.equal(read(second.folder, "a.txt"), "other");
  assert.equal(read(second.folder, "d/deep/c.txt"), "3");
  assert.ok(!existsSync(join(second.folder, "model.ckpt")));
  assert.equal(await one.prove(first), undefined);
  assert.equal(await two.prove(second), undefined);
  assert.match(
    two.told.join(),
    /a run with other code is under way in "app" on n1: ann@desk, .*r1/,
  );
  // A file written to in place must not show in the other tree.
  Deno.writeTextFileSync(join(rig.there, "d/b.txt"), "edited", { append: false });
  assert.equal(read(second.folder, "d/b.txt"), "2");
});

Deno.test("the same code shares the tree, and outlives the run that brought it", async () => {
  await using rig = startSyncRig();
  rig.write(FILES);
  const one = treeRun(rig, "r1");
  await one.sync();
  await using two = treeRun(rig, "r2");
  const second = await two.sync();
  assert.equal(second.folder, rig.there);
  assert.equal(second.sent, 0);
  await one[Symbol.asyncDispose]();
  assert.deepEqual(pins(rig), ["r2"]);
  rig.write({ "a.txt": "other" });
  await using three = treeRun(rig, "r3");
  assert.equal((await three.sync()).folder, `${rig.there}@11111111.2`);
  assert.equal(await two.prove(second), undefined);
});

Deno.test("once nobody is in the way, the plain folder is used again, with what jobs left there", async () => {
  await using rig = startSyncRig();
  rig.write(FILES);
  {
    await using one = treeRun(rig, "r1");
    await one.sync();
    Deno.writeTextFileSync(join(rig.there, "model.ckpt"), "weights");
    rig.write({ "a.txt": "other" });
    await using two = treeRun(rig, "r2");
    await two.sync();
  }
  await using three = treeRun(rig, "r3");
  const report = await three.sync();
  assert.equal(report.folder, rig.there);
  assert.equal(read(rig.there, "a.txt"), "other");
  assert.equal(read(rig.there, "model.ckpt"), "weights");
});

Deno.test("another project never lands in the folder; one line says whose it is", async () => {
  await using rig = startSyncRig();
  rig.write(FILES);
  {
    await using one = treeRun(rig, "r1");
    await one.sync();
  }
  rig.write({ "a.txt": "foreign" });
  for (const name of ["r2", "r3"]) {
    await using other = treeRun(rig, name, { project: "22222222", folder: "/" });
    const report = await other.sync();
    assert.equal(report.folder, `${rig.there}@22222222`);
    assert.equal(read(report.folder, "a.txt"), "foreign");
    assert.match(
      other.told.join(),
      /"app" on n1 belongs to another project, of ann@desk, from .*, run r1, .*"app@22222222"/,
    );
    assert.equal(read(rig.there, "a.txt"), "1");
  }
});

Deno.test("a project that was moved here finds its folder again", async () => {
  await using rig = startSyncRig();
  rig.write(FILES);
  {
    await using one = treeRun(rig, "r1", { folder: join(rig.folder, "gone") });
    await one.sync();
  }
  await using moved = treeRun(rig, "r2", { project: "22222222" });
  assert.equal((await moved.sync()).folder, rig.there);
  const states = () => [...Deno.readDirSync(join(rig.root, ".grid/sync"))].map(({ name }) => name);
  assert.deepEqual(states(), ["app"], "nothing is left of the tree that it did not need");
  await using again = treeRun(rig, "r3", { project: "22222222" });
  assert.equal((await again.sync()).folder, rig.there);
});

Deno.test("code of somebody else at another machine is told before it is replaced", async () => {
  await using rig = startSyncRig();
  rig.write(FILES);
  {
    await using one = treeRun(rig, "r1", { machine: "laptop" });
    await one.sync();
  }
  rig.write({ "a.txt": "other" });
  await using two = treeRun(rig, "r2");
  await two.sync();
  assert.match(two.told.join(), /"app" on n1 holds code of ann@laptop, from .*, run r1/);
});

Deno.test("a runner that died frees its tree; one that shows life does not", async () => {
  await using rig = startSyncRig();
  rig.write(FILES);
  const dead = treeRun(rig, "dead", { silenceMs: 1 });
  // It never beats again: nobody disposes of it, and its timer is far off.
  const report = await dead.sync();
  dead.keeper.forget();
  rig.write({ "a.txt": "other" });
  const until = performance.now() + 30_000;
  for (;;) {
    await using next = treeRun(rig, "next");
    const { folder } = await next.sync();
    if (folder === rig.there) break;
    assert.ok(performance.now() < until, "the tree of a dead runner was never free");
  }
  assert.match(await dead.prove(report) ?? "", /^grid: tree other\n\{.*"run":"next"/);
});

Deno.test("a second sync of a run, and one of a run that goes on from it, find its tree", async () => {
  await using rig = startSyncRig();
  rig.write(FILES);
  const first = treeRun(rig, "r1");
  await first.sync();
  rig.write({ "a.txt": "other" });
  const second = treeRun(rig, "r2", { preferred: () => 2 });
  await second.sync();
  await first[Symbol.asyncDispose]();
  rig.write({ "a.txt": "third" });
  const report = await second.sync();
  assert.equal(report.folder, `${rig.there}@11111111.2`);
  // Killed, and resumed by another run.
  second.keeper.forget();
  rig.write({ "a.txt": "fourth" });
  await using resumed = treeRun(rig, "r3", { lineage: ["r2"], preferred: () => 2 });
  assert.equal((await resumed.sync()).folder, `${rig.there}@11111111.2`);
});

Deno.test("an edit, a deletion or another sync on the node is found; what steps write over is not", async () => {
  await using rig = startSyncRig();
  rig.write({ ...FILES, "out/log.csv": "x" });
  await using run = treeRun(rig, "r1", { writes: ["out/"] });
  const report = await run.sync();
  Deno.writeTextFileSync(join(rig.there, "out/log.csv"), "by a job");
  Deno.writeTextFileSync(join(rig.there, "new.ckpt"), "by a job");
  assert.equal(await run.prove(report), undefined);
  Deno.writeTextFileSync(join(rig.there, "a.txt"), "by hand");
  assert.match(await run.prove(report) ?? "", /^grid: tree edited\n\{.*\}\na\.txt\n$/);
  Deno.removeSync(join(rig.there, "d"), { recursive: true });
  assert.match(
    await run.prove(report) ?? "",
    /edited\n\{.*\}\n(?:(?:a\.txt|d\/b\.txt|d\/deep\/c\.txt|d|d\/deep)\n)+$/,
  );
  Deno.removeSync(rig.there, { recursive: true });
  assert.match(await run.prove(report) ?? "", /^grid: tree gone\n/);
});

Deno.test("ten runs with ten codes at once: each has its own tree", async () => {
  await using rig = startSyncRig();
  const sources = Array.from({ length: 10 }, (_, at) => join(rig.folder, `source${at}`));
  for (const [at, source] of sources.entries()) {
    Deno.mkdirSync(source);
    Deno.writeTextFileSync(join(source, "v.txt"), String(at));
    Deno.writeTextFileSync(join(source, "same.txt"), "same");
  }
  await using runs = new AsyncDisposableStack();
  const reports = await Promise.all(sources.map(async (source, at) => {
    const run = runs.use(treeRun(rig, `r${at}`, { folder: rig.source }));
    return { run, report: await run.sync({ source }) };
  }));
  assert.equal(new Set(reports.map(({ report }) => report.folder)).size, 10);
  for (const [at, { run, report }] of reports.entries()) {
    assert.equal(read(report.folder, "v.txt"), String(at));
    assert.equal(await run.prove(report), undefined);
  }
});
