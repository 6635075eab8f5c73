/** Tools on nodes that are missing, other than one thinks, or broken: right answers or a clear refusal. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GridError } from "../../../src/core/errors.ts";
import { explainSync } from "../../../src/sync/explain.ts";
import { syncFolders } from "../../../src/sync/folders.ts";
import {
  BSD_STAT,
  linkPrograms,
  transportWithPath,
  transportWithPrograms,
} from "../../support/node_programs.ts";
import { readTree, startSyncRig, type SyncRig } from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";
import type { Transport } from "../../../src/transport/transport.ts";

/** The same workspace, seen through a node with other programs. */
function seenThrough(rig: SyncRig, transport: Transport) {
  const target = { ...rig.target, transport };
  const sync = async () => {
    const [result] = await syncFolders([target], rig.options);
    if (result?.ok) return result.report;
    throw result?.error;
  };
  return { target, sync };
}

Deno.test("syncFolders() names tar where the node has none, and changes nothing", async () => {
  using temp = tempDir();
  await using rig = startSyncRig();
  rig.write({ "a.txt": "a" });
  await using transport = transportWithPath(linkPrograms(temp.path, { without: ["tar"] }));
  await assert.rejects(seenThrough(rig, transport).sync(), {
    code: "sync",
    hint: "Install tar on the node",
  });
  assert.equal(existsSync(join(rig.there, "a.txt")), false);
});

Deno.test("syncFolders() refuses a node without stat, first and later", async () => {
  using temp = tempDir();
  const bin = linkPrograms(temp.path, { without: ["stat"] });
  await using transport = transportWithPath(bin);
  await using rig = startSyncRig();
  const bare = seenThrough(rig, transport);
  rig.write({ "a.py": "1", "b.py": "2" });
  const isRefused = (error: GridError) => {
    assert.equal(error.code, "missing-tool");
    assert.match(error.message, /there is no stat/);
    assert.match(error.hint ?? "", /Install stat on the node/);
    return true;
  };
  await assert.rejects(bare.sync(), isRefused);
  assert.equal(existsSync(rig.there), false);
  // Once synced with it, and edited there since: silence would call stale code synced.
  await rig.sync();
  Deno.writeTextFileSync(join(rig.there, "a.py"), "edited");
  Deno.removeSync(join(rig.there, "b.py"));
  await assert.rejects(bare.sync(), isRefused);
  await assert.rejects(explainSync([bare.target], rig.options), isRefused);
  assert.deepEqual((await rig.sync()).drifted, ["a.py", "b.py"]);
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
});

Deno.test("syncFolders() sees drift on a node whose stat is that of the BSDs", async () => {
  using temp = tempDir();
  await using transport = transportWithPrograms(temp.path, { stat: BSD_STAT });
  await using rig = startSyncRig({ transport });
  rig.write({ "a": "1", "d/new": "2", "d/e/f": "3", "new\nline": "4" });
  await rig.sync();
  const still = await rig.sync();
  assert.deepEqual([still.sent, still.deleted, still.drifted], [0, 0, []]);
  Deno.writeTextFileSync(join(rig.there, "a"), "edited");
  Deno.removeSync(join(rig.there, "d/new"));
  const report = await rig.sync();
  assert.deepEqual(report.drifted, ["a", "d/new"]);
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
});

Deno.test("syncFolders() believes no record that was written without stat", async () => {
  await using rig = startSyncRig();
  rig.write({ "a": "1", "b": "2" });
  await rig.sync();
  const state = join(rig.root, ".grid/sync/app");
  const digest = Deno.readTextFileSync(join(state, "current")).trim();
  Deno.writeTextFileSync(join(state, digest, "stat"), "");
  Deno.writeTextFileSync(join(rig.there, "a"), "edited");
  await rig.sync();
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
});

Deno.test("syncFolders() refuses a stat that tells only a part", async () => {
  using temp = tempDir();
  // As if it was killed for its memory, or ran into a limit of the account.
  const stat = `[ $# -lt 5 ] || { /usr/bin/stat "$1" "$2" "$3" "$4"; kill -9 $$; }
exec /usr/bin/stat "$@"`;
  await using transport = transportWithPrograms(temp.path, { stat });
  await using rig = startSyncRig();
  rig.write({ "a": "1", "b": "2", "c": "3" });
  await rig.sync();
  await assert.rejects(seenThrough(rig, transport).sync(), (error: GridError) => {
    assert.match(error.message, /stat told only about 1 of 3 files/);
    return true;
  });
});
