import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GridError } from "../../../src/core/errors.ts";
import { syncFolders } from "../../../src/sync/folders.ts";
import { readTree, startSyncRig, WAYS, writeFiles } from "../../support/sync_rig.ts";

for (const way of WAYS) {
  Deno.test(`syncFolders() brings everything over, and nothing the second time (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "train.py": "print(1)", "pkg/__init__.py": "", "pkg/deep/data.txt": "rows" });
    Deno.mkdirSync(join(rig.source, "empty"));
    Deno.writeTextFileSync(join(rig.source, "run.sh"), "#!/bin/sh", { mode: 0o755 });
    Deno.symlinkSync("pkg/deep/data.txt", join(rig.source, "data"));
    const first = await rig.sync();
    assert.equal(first.sent, 5);
    assert.equal(first.total, 5);
    assert.equal(first.bytes, 8 + 0 + 4 + 9);
    assert.equal(first.folder, rig.there);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    const second = await rig.sync();
    assert.deepEqual([second.sent, second.deleted, second.bytes, second.total], [0, 0, 0, 5]);
  });

  Deno.test(`syncFolders() sends only what changed and removes only what it once sent (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "1", "b.txt": "2", "old/c.txt": "3", "keep/d.txt": "4" });
    await rig.sync();
    writeFiles(rig.there, { "keep/result.json": "{}", "model.bin": "weights" });
    rig.write({ "a.txt": "changed", "old": undefined, "keep": undefined, "new/e.txt": "5" });
    const report = await rig.sync();
    assert.deepEqual([report.sent, report.deleted], [2, 2]);
    assert.deepEqual(readTree(rig.there), {
      "a.txt": "file changed",
      "b.txt": "file 2",
      "keep": "folder",
      "keep/result.json": "file {}",
      "model.bin": "file weights",
      "new": "folder",
      "new/e.txt": "file 5",
    });
  });

  Deno.test(`syncFolders() sees a same-size edit whose time was put back (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "one" });
    await rig.sync();
    const { mtime } = Deno.statSync(join(rig.source, "a.txt"));
    rig.write({ "a.txt": "two" });
    Deno.utimeSync(join(rig.source, "a.txt"), mtime!, mtime!);
    assert.equal((await rig.sync()).sent, 1);
    assert.equal(Deno.readTextFileSync(join(rig.there, "a.txt")), "two");
  });

  Deno.test(`syncFolders() puts right what was changed on the node, and names it (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "a", "b.txt": "b", "c/d.txt": "d" });
    await rig.sync();
    writeFiles(rig.there, { "a.txt": "A", "c": undefined });
    const report = await rig.sync();
    assert.deepEqual(report.drifted, ["a.txt", "c", "c/d.txt"]);
    assert.equal(report.sent, 2);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    assert.equal((await rig.sync()).sent, 0);
  });

  Deno.test(`syncFolders() leaves a file that was changed on the node and is gone here (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "metrics.json": "{}", "a.txt": "a" });
    await rig.sync();
    writeFiles(rig.there, { "metrics.json": '{"loss": 0.1}' });
    rig.write({ "metrics.json": undefined });
    const report = await rig.sync();
    assert.equal(report.deleted, 0);
    assert.deepEqual(report.skipped.map((it) => it.path), ["metrics.json"]);
    assert.equal(existsSync(join(rig.there, "metrics.json")), true);
  });

  Deno.test(`syncFolders() swaps a file for a folder and back (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "x": "file", "y/z.txt": "z" });
    await rig.sync();
    rig.write({ "x": undefined, "y": undefined });
    rig.write({ "x/inside.txt": "in", "y": "now a file" });
    await rig.sync();
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    rig.write({ "x": undefined, "y": undefined });
    rig.write({ "x": "file again", "y/z.txt": "z" });
    await rig.sync();
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
  });

  Deno.test(`syncFolders() never writes or deletes through a link on the node (${way})`, async () => {
    await using rig = startSyncRig({ way });
    const outside = join(rig.folder, "outside");
    Deno.mkdirSync(outside);
    writeFiles(outside, { "a.txt": "precious", "b.txt": "precious" });
    rig.write({ "d/a.txt": "mine", "d/b.txt": "mine", "e.txt": "e" });
    await rig.sync();
    Deno.removeSync(join(rig.there, "d"), { recursive: true });
    Deno.symlinkSync(outside, join(rig.there, "d"));
    rig.write({ "d/a.txt": "mine, changed", "d/b.txt": undefined });
    const report = await rig.sync();
    assert.equal(report.drifted.includes("d"), true);
    assert.deepEqual(readTree(outside), { "a.txt": "file precious", "b.txt": "file precious" });
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
  });

  Deno.test(`syncFolders() refuses what Grid did not put there and cannot replace (${way})`, async () => {
    await using rig = startSyncRig({ way });
    const outside = join(rig.folder, "outside");
    Deno.mkdirSync(outside);
    Deno.mkdirSync(rig.there);
    Deno.symlinkSync(outside, join(rig.there, "data"));
    writeFiles(rig.there, { "run.sh/notes.txt": "mine" });
    rig.write({ "data/a.txt": "a", "run.sh": "echo" });
    await assert.rejects(rig.sync(), (error: GridError) => {
      assert.equal(error.code, "sync");
      assert.match(error.message, /data/);
      assert.match(error.message, /run\.sh/);
      return true;
    });
    assert.deepEqual(readTree(outside), {});
    assert.equal(Deno.readTextFileSync(join(rig.there, "run.sh/notes.txt")), "mine");
  });

  Deno.test(`syncFolders() refuses a target folder that is a link (${way})`, async () => {
    await using rig = startSyncRig({ way });
    Deno.mkdirSync(join(rig.folder, "outside"));
    Deno.symlinkSync(join(rig.folder, "outside"), rig.there);
    rig.write({ "a.txt": "a" });
    await assert.rejects(rig.sync(), /link where a folder belongs/);
    assert.deepEqual(readTree(join(rig.folder, "outside")), {});
  });

  Deno.test(`syncFolders() refuses to empty a node unless told to (${way})`, async () => {
    await using rig = startSyncRig({ way });
    for (let at = 0; at < 30; at++) rig.write({ [`f${at}.txt`]: "x" });
    await rig.sync();
    for (let at = 0; at < 20; at++) rig.write({ [`f${at}.txt`]: undefined });
    await assert.rejects(rig.sync(), /20 of 30 files there would be deleted/);
    assert.equal(Object.keys(readTree(rig.there)).length, 30);
    assert.equal((await rig.sync({ allowLargeDelete: true })).deleted, 20);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
  });

  Deno.test(`syncFolders() starts anew where the folder was moved away (${way})`, async () => {
    await using rig = startSyncRig({ way });
    for (let at = 0; at < 30; at++) rig.write({ [`f${at}.txt`]: "x" });
    await rig.sync();
    for (let at = 0; at < 20; at++) rig.write({ [`f${at}.txt`]: undefined });
    await assert.rejects(rig.sync(), { hint: /grid sync .*source --as app --to n1 --force/ });
    Deno.renameSync(rig.there, `${rig.there}-old`);
    const report = await rig.sync();
    assert.deepEqual([report.sent, report.deleted, report.skipped], [10, 0, []]);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
  });

  Deno.test(`syncFolders() carries any name that the source can have (${way})`, async () => {
    await using rig = startSyncRig({ way });
    const long = "n".repeat(255);
    const names = [
      "new\nline",
      "-leading",
      "--",
      "quo'te",
      'dou"ble',
      "$HOME",
      "`id`",
      "back\\slash",
      " blank ",
      "tab\t",
      "*",
      "?[a]",
      "..hidden",
      ".dot",
      "%s%n",
      "ünïcödé",
      "日本",
      "|bars|||",
      long,
      `${"d".repeat(120)}/${"e".repeat(120)}/${long}`,
      "a\nb/c\nd",
      "~",
      "#x",
      "!y",
    ];
    for (const name of names) rig.write({ [name]: `content of ${name}` });
    Deno.symlinkSync("quo'te", join(rig.source, "link\nto"));
    Deno.symlinkSync(`${"d".repeat(120)}/${"e".repeat(120)}/${long}`, join(rig.source, "longlink"));
    assert.equal((await rig.sync()).sent, names.length + 2);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    assert.equal((await rig.sync()).sent, 0);
    for (const name of names) rig.write({ [name]: `new content of ${name}` });
    assert.equal((await rig.sync()).sent, names.length);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    for (const name of names) writeFiles(rig.there, { [name]: "drift" });
    assert.equal((await rig.sync()).sent, names.length);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    for (const name of names) Deno.removeSync(join(rig.source, name));
    assert.equal((await rig.sync({ allowLargeDelete: true })).deleted, names.length);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
  });

  Deno.test(`syncFolders() names what cannot travel (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "a" });
    Deno.symlinkSync("/etc/passwd", join(rig.source, "absolute"));
    Deno.symlinkSync("../../outside", join(rig.source, "upwards"));
    new Deno.Command("mkfifo", { args: [join(rig.source, "pipe")] }).outputSync();
    new Deno.Command("sh", {
      args: ["-c", `cd "$1" && touch "$(printf 'bad\\377')"`, "sh", rig.source],
    }).outputSync();
    const report = await rig.sync();
    assert.deepEqual(report.skipped.map((it) => it.reason).toSorted(), [
      "a link that leaves the folder: ../../outside",
      "a link that leaves the folder: /etc/passwd",
      "a named pipe",
      "its name is not valid UTF-8",
    ]);
    assert.deepEqual(readTree(rig.there), { "a.txt": "file a" });
  });

  Deno.test(`syncFolders() tells a name that is not UTF-8 from one that only looks like it (${way})`, async () => {
    await using rig = startSyncRig({ way });
    const make =
      'cd "$1" && echo no >"$(printf \'x\\377\')" && echo yes >"$(printf \'x\\357\\277\\275\')"';
    new Deno.Command("sh", { args: ["-c", make, "sh", rig.source] }).outputSync();
    const report = await rig.sync();
    assert.deepEqual(report.skipped, [{ path: "x\ufffd", reason: "its name is not valid UTF-8" }]);
    assert.deepEqual(readTree(rig.there), { "x\ufffd": "file yes\n" });
    assert.equal((await rig.sync()).sent, 0);
  });

  Deno.test(`syncFolders() goes on with the other nodes when one fails (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "a" });
    Deno.writeTextFileSync(join(rig.folder, "no_folder"), "");
    const broken = { ...rig.target, node: "n2", root: join(rig.folder, "no_folder") };
    const [first, second] = await syncFolders([broken, rig.target], rig.options);
    assert.equal(first?.ok, false);
    assert.equal(second?.ok, true);
  });

  Deno.test(`syncFolders() lets two syncs of one folder take turns (${way})`, async () => {
    await using rig = startSyncRig({ way });
    for (let at = 0; at < 200; at++) rig.write({ [`f${at}.txt`]: `text ${at}` });
    const reports = await Promise.all([rig.sync(), rig.sync(), rig.sync()]);
    assert.equal(reports.reduce((sum, report) => sum + report.sent, 0), 200);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    assert.equal(existsSync(join(rig.root, ".grid/sync/app/lock")), false);
  });

  Deno.test(`syncFolders() keeps a record on the node that a machine without any cache can read (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "1", "b/c.txt": "1", "d.txt": "1", "z.txt": "1" });
    Deno.symlinkSync("a.txt", join(rig.source, "link"));
    await rig.sync();
    // Files that only change are recorded line by line.
    for (const text of ["2", "three"]) {
      rig.write({ "b/c.txt": text, "z.txt": text });
      assert.equal((await rig.sync()).sent, 2);
    }
    Deno.removeSync(rig.options.cacheFolder, { recursive: true });
    assert.equal((await rig.sync()).sent, 0);
    rig.write({ "d.txt": undefined });
    const report = await rig.sync();
    assert.deepEqual([report.sent, report.deleted, report.drifted], [0, 1, []]);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    writeFiles(rig.there, { "z.txt": "THREE" });
    assert.deepEqual((await rig.sync()).drifted, ["z.txt"]);
  });

  Deno.test(`syncFolders() tells files by size and time where checksums are off (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "one", "b.txt": "same" });
    assert.equal((await rig.sync({ useChecksums: false })).sent, 2);
    assert.equal((await rig.sync({ useChecksums: false })).sent, 0);
    const later = new Date(Date.now() + 5000);
    Deno.utimeSync(join(rig.source, "a.txt"), later, later);
    assert.equal((await rig.sync({ useChecksums: false })).sent, 1);
  });

  Deno.test(`syncFolders() follows links where it is told to, and never in a circle (${way})`, async () => {
    await using rig = startSyncRig({ way });
    const outside = join(rig.folder, "shared");
    writeFiles(outside, { "data.csv": "rows", "deep/x": "x" });
    rig.write({ "a.txt": "a" });
    Deno.symlinkSync(outside, join(rig.source, "shared"));
    Deno.symlinkSync("..", join(outside, "deep", "up"));
    Deno.symlinkSync("nowhere", join(rig.source, "broken"));
    const report = await rig.sync({ followSymlinks: true });
    assert.deepEqual(readTree(rig.there), {
      "a.txt": "file a",
      "shared": "folder",
      "shared/data.csv": "file rows",
      "shared/deep": "folder",
      "shared/deep/x": "file x",
    });
    assert.deepEqual(report.skipped.map((it) => it.reason), [
      "a link to nothing",
      "links back to a folder above it",
    ]);
  });

  Deno.test(`syncFolders() keeps deleted files on record with delete off, and removes them later (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "a", "b.txt": "b" });
    await rig.sync();
    rig.write({ "b.txt": undefined });
    assert.equal((await rig.sync({ delete: false })).deleted, 0);
    assert.equal((await rig.sync({ delete: false })).sent, 0);
    assert.equal(existsSync(join(rig.there, "b.txt")), true);
    assert.equal((await rig.sync()).deleted, 1);
    assert.equal(existsSync(join(rig.there, "b.txt")), false);
  });

  Deno.test(`syncFolders() does not copy a workspace inside the source into itself (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "a" });
    const root = join(rig.source, "workspaces [1]", "n1");
    Deno.mkdirSync(root, { recursive: true });
    for (const expected of [1, 0]) {
      const [result] = await syncFolders([{ ...rig.target, root }], rig.options);
      assert.equal(result?.ok && result.report.sent, expected);
    }
    assert.deepEqual(readTree(join(root, "app")), {
      "a.txt": "file a",
      "workspaces [1]": "folder",
    });
  });

  Deno.test(`syncFolders() makes the folder again where somebody removed it (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "a", "b.txt": "b" });
    await rig.sync();
    Deno.removeSync(rig.there, { recursive: true });
    const report = await rig.sync();
    assert.deepEqual([report.sent, report.drifted], [2, ["a.txt", "b.txt"]]);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    assert.equal((await rig.sync()).sent, 0);
  });

  Deno.test(`syncFolders() moves thousands of changed files of one folder (${way})`, async () => {
    await using rig = startSyncRig({ way });
    const names = Array.from({ length: 1500 }, (_, at) => `${"n".repeat(150)}${at}`);
    for (const name of names) rig.write({ [`d/${name}`]: "1" });
    await rig.sync();
    for (const name of names) rig.write({ [`d/${name}`]: "2" });
    assert.equal((await rig.sync()).sent, names.length);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
  });
}
