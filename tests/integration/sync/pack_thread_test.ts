import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { SourceEntry } from "../../../src/sync/hash.ts";
import { fromColumns, toColumns } from "../../../src/sync/pack_words.ts";
import { PackShelf, SharedPack } from "../../../src/sync/shared_pack.ts";
import { PackThread } from "../../../src/sync/pack_thread.ts";
import { openIgnoreRules } from "../../../src/sync/ignore.ts";
import { walkSource } from "../../../src/sync/walk.ts";
import { startSyncRig, type SyncRig } from "../../support/sync_rig.ts";

const LARGE = 9_000_000;

function fill(rig: SyncRig): void {
  rig.write({ "a/one.txt": "one", "a/two\n.txt": "two", "z/gone.txt": "soon", "-": "dash" });
  Deno.symlinkSync("one.txt", join(rig.source, "a/link"));
  Deno.chmodSync(join(rig.source, "-"), 0o755);
  Deno.writeFileSync(join(rig.source, "large.bin"), new Uint8Array(LARGE).fill(7));
}

async function look(rig: SyncRig): Promise<readonly SourceEntry[]> {
  const rules = openIgnoreRules(rig.options);
  return (await walkSource({ ...rig.options, rules })).found;
}

async function bytesOf(pack: SharedPack): Promise<string> {
  const hash = createHash("sha256");
  for await (const { bytes } of pack.read()) hash.update(bytes);
  return hash.digest("hex");
}

Deno.test("a thread packs what this one would, and says the same of what changed or went away", async () => {
  await using rig = startSyncRig();
  fill(rig);
  const found = await look(rig);
  const entries = [found.map((it) => ({ ...it })), found.map((it) => ({ ...it }))] as const;
  rig.write({ "z/gone.txt": undefined, "a/one.txt": "one and more" });
  const options = { ...rig.options, isKept: false };
  const here = new SharedPack(entries[0], options);
  const there = new SharedPack(entries[1], { ...options, thread: new PackThread() });
  assert.equal(await bytesOf(there), await bytesOf(here));
  assert.equal(String(there.sum()), String(here.sum()));
  assert.deepEqual(there.packed, here.packed);
  assert.deepEqual(entries[1], entries[0]);
  assert.deepEqual(there.packed.torn.map((it) => it.path), ["z/gone.txt"]);
  // Those that stayed as they were are the very same.
  assert.equal(there.packed.sent.filter((it) => entries[1].includes(it)).length, found.length - 2);
});

Deno.test("columns are the entries that they were made of", async () => {
  await using rig = startSyncRig();
  fill(rig);
  const found = (await look(rig)).map((entry) => ({ ...entry }));
  found[0] = { ...found[0]!, content: "sha256:0" };
  assert.deepEqual(fromColumns(toColumns(found)), found);
  assert.deepEqual(fromColumns(toColumns([])), []);
});

Deno.test("a pack that nobody reads to its end leaves no thread behind", async () => {
  await using rig = startSyncRig();
  fill(rig);
  const options = { ...rig.options, isKept: false, thread: new PackThread() };
  const pack = new SharedPack(await look(rig), options);
  for await (const _ of pack.read()) break;
  // Given up at once, and not with the next block.
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(pack.isWhole, false);
});

Deno.test("what is begun early is what is asked for later, and ends unread", async () => {
  await using rig = startSyncRig();
  fill(rig);
  const found = await look(rig);
  const whole = new SharedPack(found.map((it) => ({ ...it })), { ...rig.options, isKept: false });
  const sum = await bytesOf(whole);
  using shelf = new PackShelf(rig.options, 1);
  shelf.begin(found);
  shelf.begin(found);
  // Another node may have something of it.
  const other = shelf.packOf(found.slice(1));
  assert.notEqual(await bytesOf(other), sum);
  const pack = shelf.packOf([...found]);
  // As it is once all of it has been packed.
  for (let waits = 0; found.some((it) => it.type === "file" && it.content === "");) {
    assert.ok(waits++ < 1000, "nobody packs");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(await bytesOf(pack), sum);
  // Nobody reads this one; the test would find its thread.
  using unread = new PackShelf(rig.options, 1);
  unread.begin(found);
});

Deno.test("syncFolders() brings a large source through a thread, file by file as it is", async () => {
  await using rig = startSyncRig({ way: "wire" });
  fill(rig);
  const report = await rig.sync();
  assert.equal(report.sent, 6);
  const there = Deno.readFileSync(join(rig.there, "large.bin"));
  assert.equal(there.length, LARGE);
  assert.ok(there.every((byte) => byte === 7));
  assert.equal((await rig.sync({ cacheFolder: join(rig.folder, "none") })).digest, report.digest);
});
