/** Run by `unread_test.ts`: this process takes on another account, with all of its threads. */
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

testWith(
  ["root"],
  "syncFolders() takes nothing for its own that it did not see there",
  async () => {
    await using rig = startSyncRig({
      transport: startingAsRoot(createLocalTransport(localEndpoint("n1"))),
    });
    rig.write({ "a": "1", "edited": "1" });
    await rig.sync();
    openToOthers(rig.source);
    Deno.writeTextFileSync(join(rig.there, "edited"), "by others");
    Deno.chmodSync(join(rig.source, "edited"), 0);
    await syncAsOther(rig);
    assert.equal(Deno.readTextFileSync(join(rig.there, "edited")), "by others");
    Deno.chmodSync(join(rig.source, "edited"), 0o644);
    await rig.sync();
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
  },
);
