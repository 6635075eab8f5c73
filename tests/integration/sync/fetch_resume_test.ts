/** A fetch that broke off goes on where it stopped, and leaves nothing beside the results. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fetchFiles } from "../../../src/sync/fetch.ts";
import type { SyncProgress } from "../../../src/sync/sync.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { counted, lyingTransport } from "../../support/lying_transport.ts";
import { transportWithPrograms } from "../../support/node_programs.ts";
import { startSyncRig, type SyncRig, writeFiles } from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

const MEBIBYTE = 2 ** 20;

/** The node's shell dies when so many bytes of the archive are out. */
function dyingTar(bytes: number): string {
  return `[ "$1" = --version ] && exec /usr/bin/tar "$@"
/usr/bin/tar "$@" | head -c ${bytes}
kill -9 $PPID`;
}

function fetchOut(rig: SyncRig, transport: Transport, progress?: (it: SyncProgress) => void) {
  return fetchFiles({
    transport,
    progress,
    folder: rig.root,
    from: ["out"],
    to: join(rig.folder, "results"),
    keptFolder: join(rig.folder, "kept"),
    signal: rig.options.signal,
  });
}

/** Every file has the bytes that the node has, and nothing else lies there. */
function assertWhole(rig: SyncRig, names: readonly string[]): void {
  const to = join(rig.folder, "results");
  for (const name of names) {
    const [here, there] = [to, rig.root].map((folder) => readFileSync(join(folder, "out", name)));
    assert.equal(there && here?.equals(there), true, name);
  }
  assert.deepEqual([...Deno.readDirSync(to)].map(({ name }) => name), ["out"]);
}

Deno.test("a fetch that was cut goes on where it stopped, also within a file", async () => {
  using temp = tempDir();
  await using rig = startSyncRig();
  Deno.mkdirSync(join(rig.root, "out"));
  for (const name of ["a.bin", "b.bin"]) {
    Deno.writeFileSync(join(rig.root, "out", name), randomBytes(4 * MEBIBYTE));
  }
  await using dying = transportWithPrograms(temp.path, { tar: dyingTar(6.5 * MEBIBYTE) });
  await assert.rejects(fetchOut(rig, dying), /Cannot (fetch from|sync with)/);
  assert.deepEqual([...Deno.readDirSync(join(rig.folder, "results"))], []);
  const again = counted();
  const report = await fetchOut(rig, lyingTransport(rig.transport, { stdout: again.through }));
  assert.equal(report.bytes, 8 * MEBIBYTE);
  assertWhole(rig, ["a.bin", "b.bin"]);
  assert.equal(again.bytes() < 2.5 * MEBIBYTE, true, `${again.bytes()} bytes came again`);
  assert.equal([...Deno.readDirSync(join(rig.folder, "kept"))].length, 0);
});

Deno.test("what came of a file that has changed meanwhile is no part of the new one", async () => {
  using temp = tempDir();
  await using rig = startSyncRig();
  writeFiles(rig.root, { "out/a.bin": "a".repeat(5 * MEBIBYTE), "out/small": "1" });
  await using dying = transportWithPrograms(temp.path, { tar: dyingTar(3 * MEBIBYTE) });
  await assert.rejects(fetchOut(rig, dying));
  assert.equal(existsSync(join(rig.folder, "kept")), true);
  writeFiles(rig.root, { "out/a.bin": "b".repeat(5 * MEBIBYTE), "out/small": "2" });
  await fetchOut(rig, rig.transport);
  assertWhole(rig, ["a.bin", "small"]);
});

Deno.test("a fetch tells how far it is, of what it still lacks", async () => {
  await using rig = startSyncRig();
  const large = randomBytes(4 * MEBIBYTE);
  Deno.mkdirSync(join(rig.root, "out"));
  Deno.writeFileSync(join(rig.root, "out/model.pt"), large);
  using temp = tempDir();
  {
    await using dying = transportWithPrograms(temp.path, { tar: dyingTar(3 * MEBIBYTE) });
    await assert.rejects(fetchOut(rig, dying));
  }
  writeFiles(rig.root, { "out/a.log": "a", "out/b.log": "b" });
  const told: SyncProgress[] = [];
  // Ten seconds pass whenever somebody looks.
  const { now } = performance;
  let ms = now.call(performance);
  performance.now = () => ms += 10_000;
  try {
    await fetchOut(rig, rig.transport, (progress) => told.push(progress));
  } finally {
    performance.now = now;
  }
  const last = told.at(-1);
  assert.deepEqual([last?.node, last?.files, last?.totalFiles], ["n1", 3, 3]);
  const total = last?.totalBytes ?? 0;
  assert.ok(total >= MEBIBYTE && total < 2 * MEBIBYTE, `${total} bytes`);
  assert.ok(told.length > 1 && told.every(({ bytes }) => bytes <= total));
  assertWhole(rig, ["model.pt", "a.log", "b.log"]);
});
