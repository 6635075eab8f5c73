/** What cannot be read here is not gone: a node keeps what it has of it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GridError } from "../../../src/core/errors.ts";
import { asOrdinaryAccount, openToOthers, startingAsRoot } from "../../support/other_account.ts";
import { testWith } from "../../support/requires.ts";
import { createLocalTransport } from "../../../src/transport/local.ts";
import { localEndpoint, readTree, startSyncRig, type SyncRig } from "../../support/sync_rig.ts";

/** Syncs as an account that cannot read everything. */
function syncAsOther(rig: SyncRig) {
  Deno.chmodSync(rig.folder, 0o711);
  openToOthers(rig.options.cacheFolder);
  return asOrdinaryAccount(() => rig.sync());
}

testWith(["root"], "syncFolders() keeps what it cannot read, and all below it", async () => {
  await using rig = startSyncRig({
    transport: startingAsRoot(createLocalTransport(localEndpoint("n1"))),
  });
  rig.write({ "a": "1", "secret": "2", "closed/b": "3", "closed/deep/c": "4", "gone": "5" });
  await rig.sync();
  openToOthers(rig.source);
  rig.write({ "gone": undefined, "a": "new", "closed/b": undefined });
  Deno.chmodSync(join(rig.source, "secret"), 0);
  Deno.chmodSync(join(rig.source, "closed"), 0);
  const report = await syncAsOther(rig);
  assert.deepEqual([report.sent, report.deleted], [1, 1]);
  assert.deepEqual(report.skipped, [
    { path: "closed", reason: "it cannot be read: permission denied", isUnread: true },
    { path: "secret", reason: "it cannot be read: permission denied", isUnread: true },
  ]);
  assert.deepEqual(readTree(rig.there), {
    "a": "file new",
    "secret": "file 2",
    "closed": "folder",
    "closed/b": "file 3",
    "closed/deep": "folder",
    "closed/deep/c": "file 4",
  });
  // It stays known: the next sync that can look removes what is really gone, and only that.
  Deno.chmodSync(join(rig.source, "closed"), 0o755);
  Deno.chmodSync(join(rig.source, "secret"), 0o644);
  const next = await rig.sync();
  assert.deepEqual([next.sent, next.deleted, next.drifted], [0, 1, []]);
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
});

testWith(
  ["root"],
  "syncFolders() of a source that cannot be read at all deletes nothing",
  async () => {
    await using rig = startSyncRig({
      transport: startingAsRoot(createLocalTransport(localEndpoint("n1"))),
    });
    rig.write({ "a": "1" });
    await rig.sync();
    openToOthers(rig.folder);
    Deno.chmodSync(rig.source, 0);
    await assert.rejects(syncAsOther(rig), (error: GridError) => {
      assert.equal(error.code, "sync");
      assert.match(error.message, /no folder that can be read/);
      return true;
    });
    assert.equal(existsSync(join(rig.there, "a")), true);
  },
);

Deno.test("syncFolders() keeps a file that grows while it is read, and sends it once it stands", async () => {
  await using rig = startSyncRig();
  rig.write({ "train.log": "start", "steady": "s" });
  await rig.sync();
  rig.write({ "train.log": "l".repeat(5_000_000) });
  const path = join(rig.source, "train.log");
  const stop = join(rig.folder, "stop");
  const writer = new Deno.Command("sh", {
    args: ["-c", 'until [ -e "$2" ]; do printf x; done >>"$1"', "sh", path, stop],
  }).spawn();
  try {
    while (Deno.statSync(path).size < 5_000_100) await new Promise((go) => setTimeout(go, 5));
    const report = await rig.sync();
    assert.equal(report.deleted, 0);
    assert.deepEqual(report.skipped.map((it) => it.path), ["train.log"]);
    assert.equal(Deno.readTextFileSync(join(rig.there, "train.log")), "start");
  } finally {
    Deno.writeTextFileSync(stop, "");
    await writer.status;
  }
  await rig.sync();
  assert.equal(Deno.statSync(join(rig.there, "train.log")).size, Deno.statSync(path).size);
});

Deno.test("syncFolders() asks about an emptied source, whatever its size", async () => {
  await using rig = startSyncRig();
  rig.write({ "a": "1", "b/c": "2" });
  await rig.sync();
  rig.write({ "a": undefined, "b": undefined });
  await assert.rejects(rig.sync(), (error: GridError) => {
    assert.match(error.message, /the source is empty, and all 2 files there would be deleted/);
    assert.match(error.hint ?? "", /--force/);
    return true;
  });
  assert.equal(existsSync(join(rig.there, "a")), true);
  assert.equal((await rig.sync({ allowLargeDelete: true })).deleted, 2);
  assert.deepEqual(readTree(rig.there), {});
});
