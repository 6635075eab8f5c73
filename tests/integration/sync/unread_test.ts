/** What cannot be read here is not gone: a node keeps what it has of it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GridError } from "../../../src/core/errors.ts";
import { testWith } from "../../support/requires.ts";
import { readTree, startSyncRig } from "../../support/sync_rig.ts";

/** A process has one account for all of its threads, and with it for all tests that run beside these. */
testWith(["root"], "what a sync cannot read, in a process with an account of its own", async () => {
  await testAlone("unread_as_account.ts");
});

// A few that are always the same; new ones: GRID_TEST_RUNS=20 deno task test tests/integration/sync/unread_test.ts
testWith(
  ["root"],
  "random histories of source and node, in a process with an account of its own",
  async () => {
    await testAlone("random_trees_as_account.ts");
  },
);

async function testAlone(name: string): Promise<void> {
  const file = new URL(name, import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--frozen", "--no-check", file],
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, text);
  assert.match(text, /\| [1-9]\d* passed .*\| 0 failed/);
}

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
