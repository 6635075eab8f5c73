/** What lies on a node is proved by hash, and put right by the next sync. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { placeOf } from "../../../src/sync/place.ts";
import { verifySync } from "../../../src/sync/verify.ts";
import { readTree, startSyncRig, type SyncRig } from "../../support/sync_rig.ts";

function verify(rig: SyncRig, { mark = false } = {}) {
  const place = placeOf(rig.root, "app");
  return verifySync({ target: rig.target, place, mark, signal: rig.options.signal });
}

/** Other content under the same size and time; the tools of a node cannot set the change time. */
function forge(path: string, text: string): void {
  const { mtime, atime } = Deno.statSync(path);
  Deno.writeTextFileSync(path, text);
  Deno.utimeSync(path, atime ?? 0, mtime ?? 0);
}

Deno.test("verifySync() tells by hash what is not as it was brought; the next sync mends what is marked", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "one", "-": "dash", "d/new\nline": "x", "gone": "g", "b": "b" });
  Deno.symlinkSync("a.txt", join(rig.source, "link"));
  await assert.rejects(verify(rig), /Cannot verify "app" on "n1": no sync has brought it there/);
  await rig.sync();
  const good = await verify(rig);
  assert.deepEqual([good.compared, good.differ, good.missing, good.unknown], [5, [], [], 0]);
  // The sync's record is made to believe in it, as a broken disk would.
  forge(join(rig.there, "a.txt"), "two");
  const rows = [...Deno.readDirSync(join(rig.root, ".grid/sync/app"))]
    .map(({ name }) => join(rig.root, ".grid/sync/app", name, "stat"));
  const ctime = (path: string) =>
    new TextDecoder().decode(
      new Deno.Command("stat", { args: ["-c", "%z", path] }).outputSync().stdout,
    )
      .trim();
  for (const path of rows) {
    let text = "";
    try {
      text = Deno.readTextFileSync(path);
    } catch {
      continue;
    }
    const now = ctime(join(rig.there, "a.txt"));
    Deno.writeTextFileSync(path, text.replace(/\|[^|\n]*\|a\.txt\n/, `|${now}|a.txt\n`));
  }
  assert.equal((await rig.sync()).sent, 0);
  Deno.removeSync(join(rig.there, "gone"));
  const bad = await verify(rig, { mark: true });
  assert.deepEqual([bad.differ, bad.missing], [["a.txt"], ["gone"]]);
  const told: string[] = [];
  assert.equal((await rig.sync({ tell: (message) => told.push(message) })).sent, 2);
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
  assert.match(told.join(), /moved aside before it is replaced: a\.txt/);
  assert.deepEqual((await verify(rig)).differ, []);
});
