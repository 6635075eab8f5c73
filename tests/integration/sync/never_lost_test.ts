/** Nothing of others is lost without a kept copy, and nothing of ours is left for good. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GridError } from "../../../src/core/errors.ts";
import { syncFolders } from "../../../src/sync/folders.ts";
import type { SyncOptions } from "../../../src/sync/sync.ts";
import { explainSync } from "../../../src/sync/explain.ts";
import { placeOf } from "../../../src/sync/place.ts";
import { undoSync } from "../../../src/sync/undo.ts";
import { ORDINARY_UID, transportAs } from "../../support/account_transport.ts";
import { transportWithPrograms } from "../../support/node_programs.ts";
import { testWith } from "../../support/requires.ts";
import {
  readTree,
  startSyncRig,
  type SyncRig,
  type Way,
  WAYS,
  writeFiles,
} from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Files that were moved aside, as `path: what`. */
function keptFiles(rig: SyncRig): string[] {
  const kept = join(rig.root, ".grid/sync/app/kept");
  if (!existsSync(kept)) return [];
  const trees = [...Deno.readDirSync(kept)].map((it) => readTree(join(kept, it.name)));
  const files = trees.flatMap((tree) => Object.entries(tree).filter(([, is]) => is !== "folder"));
  return files.map(([path, is]) => `${path}: ${is}`).toSorted();
}

/** A sync whose node dies at the `at`th call of a program that changes something. */
async function syncThatDies(rig: SyncRig, at: number, way: Way = "wire"): Promise<boolean> {
  using temp = tempDir();
  const count = join(temp.path, "count");
  Deno.writeTextFileSync(count, "0");
  const program = (name: string) =>
    `n=$(($(cat ${count}) + 1)); echo $n >${count}
[ $n != ${at} ] || { kill -9 $PPID; exit 1; }
PATH=/usr/bin:/bin exec ${name} "$@"`;
  const names = ["mv", "rm", "cp", "ln", "tar"];
  await using transport = transportWithPrograms(
    temp.path,
    Object.fromEntries(names.map((name) => [name, program(name)])),
    way === "here",
  );
  const [result] = await syncFolders([{ ...rig.target, transport }], rig.options);
  return result?.ok === false;
}

for (const way of WAYS) {
  Deno.test(`syncFolders() repairs after a death at every stage, also from a changed source (${way})`, async () => {
    let died = 0;
    for (let at = 1; at <= (way === "wire" ? 12 : 7); at++) {
      await using rig = startSyncRig({ way });
      // A first sync may die, or a later one: by turns.
      if (at % 2 === 0) {
        rig.write({ "x": "1", "swap": "file", "old": "1", "d/in": "1" });
        await rig.sync();
        rig.write({ "x": "edited", "new": "2", "d/more": "2", "old": undefined });
      } else rig.write({ "x": "1", "new": "1", "swap": "file", "d/in": "1", "d/more": "1" });
      if (await syncThatDies(rig, at, way)) died++;
      // Now the source changes before the next try.
      rig.write({ "new": undefined, "d": undefined, "swap": undefined, "x": "last" });
      rig.write({ "swap/is/a/folder": "now" });
      const report = await rig.sync();
      assert.deepEqual(report.drifted, [], `stage ${at}`);
      assert.deepEqual(readTree(rig.there), readTree(rig.source), `stage ${at}`);
      assert.deepEqual(keptFiles(rig), [], `stage ${at}: it was all ours`);
      const names = [...Deno.readDirSync(join(rig.root, ".grid/sync/app"))].map((it) => it.name);
      assert.deepEqual(names.filter((name) => /^(work|lock|pending)/.test(name)), []);
    }
    assert.equal(died > 4, true, `only ${died} of them died`);
  });
}

Deno.test("syncFolders() goes through at once after a death, from a source that stayed as it was", async () => {
  for (let at = 5; at <= 10; at++) {
    await using rig = startSyncRig();
    rig.write({ "x": "1", "y": "2" });
    await syncThatDies(rig, at);
    const report = await rig.sync();
    assert.deepEqual([report.drifted, keptFiles(rig)], [[], []], `stage ${at}`);
    assert.deepEqual(readTree(rig.there), readTree(rig.source), `stage ${at}`);
  }
});

Deno.test("syncFolders() knows its own after two deaths: other contents, links, a file that became a folder", async () => {
  await using rig = startSyncRig();
  Deno.symlinkSync("a", join(rig.source, "link"));
  rig.write({ "a": "1", "b": "1", "swap/in": "1" });
  await diesAtRecord(rig);
  rig.write({ "a": "2", "swap": undefined, "c": "2" });
  rig.write({ "swap": "file" });
  await diesBeforeMoving(rig);
  rig.write({ "a": "3" });
  const told: string[] = [];
  await rig.sync({ tell: (message) => told.push(message) });
  assert.deepEqual([told, keptFiles(rig)], [[], []]);
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
});

Deno.test("syncFolders() that is refused leaves no second name of what is still there", async () => {
  await using rig = startSyncRig();
  rig.write({ "mine": "of others", "folder/in": "it" });
  Deno.renameSync(rig.source, rig.there);
  Deno.mkdirSync(rig.source);
  rig.write({ "mine": "new", "folder": "a file" });
  for (let tries = 0; tries < 2; tries++) {
    await assert.rejects(rig.sync(), /in the way, and not put there by Grid: folder$/);
    assert.deepEqual(keptFiles(rig), []);
    assert.equal(Deno.readTextFileSync(join(rig.there, "mine")), "of others");
  }
  Deno.removeSync(join(rig.there, "folder"), { recursive: true });
  await rig.sync();
  assert.deepEqual(keptFiles(rig), ["mine: file of others"]);
});

Deno.test("syncFolders() with delete off brings back what went away there and came back here", async () => {
  await using rig = startSyncRig();
  rig.write({ "a": "1", "b": "2" });
  await rig.sync();
  rig.write({ "a": undefined });
  Deno.removeSync(join(rig.there, "a"));
  await rig.sync({ delete: false });
  rig.write({ "a": "1" });
  await rig.sync({ delete: false });
  assert.deepEqual(readTree(rig.there), { "a": "file 1", "b": "file 2" });
});

/** The node dies when all is in its place, and before it is recorded. */
async function diesAtRecord(rig: SyncRig): Promise<void> {
  await diesAtMove(rig, "*/pending/*) case $2 in */sync/*)");
}

/** The node dies when all is staged and known as pending, and before anything is moved in. */
async function diesBeforeMoving(rig: SyncRig): Promise<void> {
  await diesAtMove(rig, "-f) case $2 in --)");
}

async function diesAtMove(rig: SyncRig, pattern: string): Promise<void> {
  using temp = tempDir();
  const mv = `case $1 in ${pattern} kill -9 $PPID; exit 1 ;; esac ;; esac
PATH=/usr/bin:/bin exec mv "$@"`;
  await using transport = transportWithPrograms(temp.path, { mv });
  const [result] = await syncFolders([{ ...rig.target, transport }], rig.options);
  assert.equal(result?.ok, false);
}

Deno.test("syncFolders() remembers what two syncs that died one after the other have left", async () => {
  await using rig = startSyncRig();
  rig.write({ "a": "1", "first": "1" });
  await rig.sync();
  const diesBeforeRecord = async () => {
    using temp = tempDir();
    const mv = `case $1 in */pending/*) kill -9 $PPID; exit 1 ;; esac
PATH=/usr/bin:/bin exec mv "$@"`;
    await using transport = transportWithPrograms(temp.path, { mv });
    const [result] = await syncFolders([{ ...rig.target, transport }], rig.options);
    assert.equal(result?.ok, false);
  };
  rig.write({ "second": "2" });
  await diesBeforeRecord();
  rig.write({ "second": undefined, "third": "3", "first": undefined });
  await diesBeforeRecord();
  rig.write({ "third": undefined, "a": "4" });
  await rig.sync();
  assert.deepEqual(readTree(rig.there), { "a": "file 4" });
});

Deno.test("syncFolders() that dies before its record is there forgets nothing of the one before", async () => {
  await using rig = startSyncRig();
  rig.write({ "a": "1" });
  await rig.sync();
  rig.write({ "a": "2" });
  await diesAtRecord(rig);
  rig.write({ "a": "3" });
  await diesAtMove(rig, "*/in/record) case $2 in */pending/*)");
  await rig.sync();
  assert.deepEqual(keptFiles(rig), [], "what the first one brought is nobody's edit");
  assert.deepEqual(readTree(rig.there), { "a": "file 3" });
});

Deno.test("syncFolders() puts a folder back where one that died had put a link", async () => {
  await using rig = startSyncRig();
  rig.write({ "e": "1" });
  await rig.sync();
  rig.write({ "d/a": "1" });
  await diesAtRecord(rig);
  Deno.removeSync(join(rig.source, "d"), { recursive: true });
  Deno.symlinkSync("elsewhere", join(rig.source, "d"));
  await diesAtRecord(rig);
  Deno.removeSync(join(rig.source, "d"));
  rig.write({ "d/b": "2" });
  await rig.sync();
  assert.deepEqual(readTree(rig.there), { "d": "folder", "d/b": "file 2", "e": "file 1" });
});

Deno.test("syncFolders() leaves a folder of others that stands where a link was to be", async () => {
  await using rig = startSyncRig();
  rig.write({ "d/a": "1", "e": "1" });
  await rig.sync();
  writeFiles(rig.there, { "d/mine": "of others" });
  Deno.removeSync(join(rig.source, "d"), { recursive: true });
  Deno.symlinkSync("elsewhere", join(rig.source, "d"));
  await assert.rejects(rig.sync(), /in the way, and not put there by Grid: d$/);
  Deno.removeSync(join(rig.source, "d"));
  await rig.sync();
  assert.deepEqual(readTree(rig.there), {
    "d": "folder",
    "d/mine": "file of others",
    "e": "file 1",
  });
});

Deno.test("syncFolders() into a folder that exists moves aside what it replaces, and says so first", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.there, { "train.py": "edited by hand", "same.py": "same", "ckpt/1.pt": "theirs" });
  rig.write({ "train.py": "ours", "same.py": "same", "new.py": "n" });
  const told: string[] = [];
  await rig.sync({ tell: (message) => told.push(message) });
  assert.match(told.join(), /Not written by Grid on n1, moved aside .*: train\.py \(/);
  assert.deepEqual(keptFiles(rig), ["train.py: file edited by hand"]);
  assert.deepEqual(readTree(rig.there), {
    "ckpt": "folder",
    "ckpt/1.pt": "file theirs",
    "new.py": "file n",
    "same.py": "file same",
    "train.py": "file ours",
  });
  // Known files that changed there go the same way; those only touched do not.
  Deno.writeTextFileSync(join(rig.there, "train.py"), "again");
  Deno.utimeSync(join(rig.there, "new.py"), 1, 1);
  assert.deepEqual((await rig.sync()).drifted, ["new.py", "train.py"]);
  assert.deepEqual(keptFiles(rig), ["train.py: file again", "train.py: file edited by hand"]);
});

const withDrift = (rig: SyncRig, onDrift: SyncOptions["onDrift"]) => rig.sync({ onDrift });

Deno.test("syncFolders() with on-drift: fail changes nothing", async () => {
  await using rig = startSyncRig();
  rig.write({ "a": "1", "b": "1" });
  await rig.sync();
  writeFiles(rig.there, { "a": "edited", "c": "theirs" });
  rig.write({ "b": "2", "c": "ours" });
  const before = readTree(rig.there);
  await assert.rejects(withDrift(rig, "fail"), (error: GridError) => {
    assert.equal(error.exitCode, 1);
    assert.match(error.message, /not as Grid left it there: a, c/);
    return true;
  });
  assert.deepEqual(readTree(rig.there), before);
});

Deno.test("syncFolders() with on-drift: keep leaves them, and asks again each time", async () => {
  await using rig = startSyncRig();
  rig.write({ "a": "1", "b": "1" });
  await rig.sync();
  writeFiles(rig.there, { "a": "edited", "c": "theirs" });
  rig.write({ "b": "2", "c": "ours" });
  for (let turn = 0; turn < 2; turn++) {
    await withDrift(rig, "keep");
    assert.deepEqual(readTree(rig.there), {
      "a": "file edited",
      "b": "file 2",
      "c": "file theirs",
    });
  }
  rig.write({ "a": "newer" });
  await withDrift(rig, "backup");
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
  assert.deepEqual(keptFiles(rig), ["a: file edited", "c: file theirs"]);
});

testWith(["root"], "syncFolders() fails on what it cannot delete, and tries again", async () => {
  await using rig = startSyncRig({ transport: transportAs({ uid: ORDINARY_UID }) });
  Deno.chmodSync(rig.folder, 0o711);
  Deno.chownSync(rig.root, ORDINARY_UID, ORDINARY_UID);
  rig.write({ "d/x": "1", "y": "1" });
  await rig.sync();
  rig.write({ "d/x": undefined, "y": "2" });
  Deno.chownSync(join(rig.there, "d"), 0, 0);
  for (let turn = 0; turn < 2; turn++) {
    await assert.rejects(rig.sync(), /it could not delete d\/x/);
    assert.equal(Deno.readTextFileSync(join(rig.there, "y")), "2");
  }
  Deno.chownSync(join(rig.there, "d"), ORDINARY_UID, ORDINARY_UID);
  await rig.sync();
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
});

Deno.test("syncFolders() carries a file and a folder that are named -", async () => {
  await using rig = startSyncRig();
  rig.write({ "-": "dash", "d/-": "deep" });
  assert.equal((await rig.sync()).sent, 2);
  assert.equal((await rig.sync()).sent, 0);
  Deno.writeTextFileSync(join(rig.there, "-"), "edited");
  assert.deepEqual((await rig.sync()).drifted, ["-"]);
  rig.write({ "-": undefined });
  rig.write({ "-/in": "folder" });
  await rig.sync();
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
});

Deno.test("undoSync() brings back what was moved aside, and the other way round", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.there, { "a": "theirs", "d/b": "theirs too" });
  rig.write({ "a": "ours", "d/b": "ours", "c": "ours" });
  const undo = () =>
    undoSync({ target: rig.target, place: placeOf(rig.root, "app"), signal: rig.options.signal });
  assert.deepEqual((await undo()).files, []);
  const before = await explainSync([rig.target], rig.options);
  assert.deepEqual(before.nodes[0]?.others, ["a", "d/b"]);
  await rig.sync();
  assert.deepEqual((await undo()).files.toSorted(), ["a", "d/b"]);
  const theirs = { "a": "file theirs", "c": "file ours", "d": "folder", "d/b": "file theirs too" };
  assert.deepEqual(readTree(rig.there), theirs);
  await undo();
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
  await undo();
  // The next sync replaces them again, and again they are kept.
  await rig.sync();
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
  assert.deepEqual((await undo()).files.toSorted(), ["a", "d/b"]);
});

Deno.test("undoSync() writes through no link", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.there, { "d/b": "theirs" });
  rig.write({ "d/b": "ours" });
  await rig.sync();
  const outside = join(rig.folder, "outside");
  Deno.renameSync(join(rig.there, "d"), outside);
  Deno.symlinkSync(outside, join(rig.there, "d"));
  await assert.rejects(
    undoSync({ target: rig.target, place: placeOf(rig.root, "app"), signal: rig.options.signal }),
    /something stands in the way/,
  );
  assert.equal(Deno.readTextFileSync(join(outside, "b")), "ours");
});

Deno.test("syncFolders() removes what was moved aside a month ago when it moves more aside, and says so", async () => {
  await using rig = startSyncRig();
  const told: string[] = [];
  const moveAside = async (number: number) => {
    Deno.writeTextFileSync(join(rig.there, "a"), `of others ${number}`);
    rig.write({ "a": `${number}` });
    await rig.sync({ tell: (message) => told.push(message) });
  };
  rig.write({ "a": "0" });
  await rig.sync();
  await moveAside(1);
  await moveAside(2);
  assert.deepEqual(keptFiles(rig), ["a: file of others 1", "a: file of others 2"]);
  const kept = join(rig.root, ".grid/sync/app/kept");
  const old = new Date(Date.now() - 32 * 24 * 60 * 60 * 1000);
  for (const { name } of Deno.readDirSync(kept)) Deno.utimeSync(join(kept, name), old, old);
  rig.write({ "b": "nothing is moved aside" });
  await rig.sync();
  assert.equal(keptFiles(rig).length, 2);
  told.length = 0;
  await moveAside(3);
  assert.deepEqual(keptFiles(rig), ["a: file of others 3"]);
  assert.match(
    told.at(-1) ?? "",
    /^Removed on n1: what 2 syncs of app had moved aside more than 30 days ago$/,
  );
});
