import assert from "node:assert/strict";
import { join } from "node:path";
import type { GridError } from "../../../src/core/errors.ts";
import { fetchFiles } from "../../../src/sync/fetch.ts";
import { readTree, startSyncRig, type SyncRig, writeFiles } from "../../support/sync_rig.ts";

function fetchFrom(rig: SyncRig, from: readonly string[], folder = rig.root) {
  return fetchFiles({
    transport: rig.transport,
    folder,
    from,
    to: join(rig.folder, "results"),
    signal: rig.options.signal,
  });
}

Deno.test("fetchFiles() brings files, folders and globs home", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, {
    "model.json": "{}",
    "ckpt/1.pt": "one",
    "ckpt/2.pt": "two",
    "ckpt/notes.txt": "no",
    "logs/deep/a.log": "a",
    "logs/.hidden": "h",
  });
  const report = await fetchFrom(rig, ["model.json", "ckpt/*.pt", "logs/"]);
  assert.deepEqual(report.files, [
    "ckpt/1.pt",
    "ckpt/2.pt",
    "logs/.hidden",
    "logs/deep/a.log",
    "model.json",
  ]);
  assert.equal(report.bytes, 2 + 3 + 3 + 1 + 1);
  assert.deepEqual(readTree(join(rig.folder, "results")), {
    "ckpt": "folder",
    "ckpt/1.pt": "file one",
    "ckpt/2.pt": "file two",
    "logs": "folder",
    "logs/.hidden": "file h",
    "logs/deep": "folder",
    "logs/deep/a.log": "file a",
    "model.json": "file {}",
  });
});

Deno.test("fetchFiles() brings what a link leads to", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, { "step100.pt": "weights" });
  Deno.symlinkSync("step100.pt", join(rig.root, "last.pt"));
  assert.deepEqual((await fetchFrom(rig, ["last.pt"])).files, ["last.pt"]);
  assert.deepEqual(readTree(join(rig.folder, "results")), { "last.pt": "file weights" });
});

Deno.test("fetchFiles() names every path that matched nothing, and writes nothing", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, { "a.txt": "a" });
  await assert.rejects(fetchFrom(rig, ["a.txt", "b.txt", "c/*.pt"]), (error: GridError) => {
    assert.equal(error.code, "sync");
    assert.match(error.message, /"b\.txt", "c\/\*\.pt"/);
    return true;
  });
  assert.throws(() => Deno.statSync(join(rig.folder, "results")), Deno.errors.NotFound);
});

Deno.test("fetchFiles() refuses paths that leave the folder", async () => {
  await using rig = startSyncRig();
  for (const path of ["../x", "a/../../x", "/etc/passwd", ""]) {
    await assert.rejects(fetchFrom(rig, [path]), { code: "sync" });
  }
});

Deno.test("fetchFiles() says so where there is no such folder", async () => {
  await using rig = startSyncRig();
  await assert.rejects(fetchFrom(rig, ["a"], join(rig.root, "nowhere")), /there is no folder/);
});

Deno.test("fetchFiles() treats names as data, whatever they hold", async () => {
  await using rig = startSyncRig();
  const names = [
    "$(touch pwned)",
    "a b",
    "-rf",
    "q'uote",
    "[literal].txt",
    "n".repeat(255),
  ];
  for (const name of names) writeFiles(join(rig.root, "odd"), { [name]: name });
  assert.equal((await fetchFrom(rig, ["odd"])).files.length, names.length);
  assert.deepEqual(readTree(join(rig.folder, "results", "odd")), readTree(join(rig.root, "odd")));
  await fetchFrom(rig, ["odd/$(touch pwned)", "odd/[literal].txt", "odd/-rf"]);
  assert.deepEqual(Object.keys(readTree(rig.root)).includes("pwned"), false);
});

Deno.test("fetchFiles() leaves names at home that no terminal should see, and says so", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, { "odd/a": "a", "odd/new\nline": "n", "odd/\x1b[31m": "e" });
  const report = await fetchFrom(rig, ["odd"]);
  assert.deepEqual(report.files, ["odd/a"]);
  assert.deepEqual(report.skipped.map((it) => it.path), ["odd/new\ufffdline", "odd/\ufffd[31m"]);
});

Deno.test("fetchFiles() brings every name of a file with several: links and hard links", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, { "ck/step10.pt": "weights" });
  Deno.symlinkSync("step10.pt", join(rig.root, "ck/last.pt"));
  Deno.linkSync(join(rig.root, "ck/step10.pt"), join(rig.root, "ck/best.pt"));
  for (const from of [["ck"], ["ck/*.pt"], ["ck/step10.pt", "ck/last.pt", "ck/best.pt"]]) {
    const report = await fetchFrom(rig, from);
    assert.equal(report.bytes, 21);
    assert.deepEqual(readTree(join(rig.folder, "results/ck")), {
      "best.pt": "file weights",
      "last.pt": "file weights",
      "step10.pt": "file weights",
    });
    Deno.removeSync(join(rig.folder, "results"), { recursive: true });
  }
});

Deno.test("fetchFiles() replaces what an earlier fetch brought", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, { "m.json": "1" });
  await fetchFrom(rig, ["m.json"]);
  writeFiles(rig.root, { "m.json": "2" });
  await fetchFrom(rig, ["**/*.json"]);
  assert.deepEqual(readTree(join(rig.folder, "results")), { "m.json": "file 2" });
});
