/** What travels and what does not: renames, deltas, links that break, slow links, nodes with few tools. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createLocalTransport } from "../../../src/transport/local.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { syncFolders } from "../../../src/sync/folders.ts";
import { measuredTransport } from "../../support/measured_transport.ts";
import {
  linkPrograms,
  transportWithPath,
  transportWithPrograms,
} from "../../support/node_programs.ts";
import { localEndpoint, readTree, startSyncRig, type SyncRig } from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

function startMeasured(honest: Transport = createLocalTransport(localEndpoint("n1"))) {
  const transport = measuredTransport(honest);
  return { transport, rig: startSyncRig({ transport }) };
}

/** Content that no compression makes smaller; the same for the same seed. */
function noise(bytes: number, seed = 1): Uint8Array {
  const made = new Uint8Array(bytes);
  let state = seed;
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    made[at] = state >>> 24;
  }
  return made;
}

function put(rig: SyncRig, path: string, bytes: Uint8Array): void {
  Deno.mkdirSync(dirname(join(rig.source, path)), { recursive: true });
  Deno.writeFileSync(join(rig.source, path), bytes);
}

function assertEqualTrees(rig: SyncRig): void {
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
}

/** The program and its words, before any file. */
const TALK_BYTES = 60_000;
const MIB = 2 ** 20;

Deno.test("a file that the node has under another name is not sent again", async () => {
  const { transport, rig } = startMeasured();
  await using _ = rig;
  put(rig, "model.bin", noise(2 * MIB));
  rig.write({ "deep/a.txt": "a" });
  await rig.sync();
  const at = new Date("2024-05-06T07:08:09Z");
  Deno.mkdirSync(join(rig.source, "old"));
  Deno.renameSync(join(rig.source, "model.bin"), join(rig.source, "old/model v1.bin"));
  Deno.chmodSync(join(rig.source, "old/model v1.bin"), 0o755);
  Deno.utimeSync(join(rig.source, "old/model v1.bin"), at, at);
  transport.sent = 0;
  const report = await rig.sync();
  assert.deepEqual([report.sent, report.deleted, report.bytes], [1, 1, 0]);
  assert.ok(transport.sent < TALK_BYTES, `${transport.sent} bytes`);
  assertEqualTrees(rig);
  assert.equal(Deno.statSync(join(rig.there, "old/model v1.bin")).mtime?.getTime(), at.getTime());
  assert.equal((await rig.sync()).sent, 0);
});

Deno.test("what was edited on the node is never taken for what it was", async () => {
  const { rig } = startMeasured();
  await using _ = rig;
  put(rig, "model.bin", noise(MIB));
  await rig.sync();
  Deno.writeFileSync(join(rig.there, "model.bin"), noise(MIB, 7));
  Deno.renameSync(join(rig.source, "model.bin"), join(rig.source, "new.bin"));
  await rig.sync();
  assert.deepEqual(Deno.readFileSync(join(rig.there, "new.bin")), noise(MIB));
});

Deno.test("what changes on the node while a file is made of it is noticed, and the file is sent", async () => {
  const { transport, rig } = startMeasured();
  await using _ = rig;
  put(rig, "model.bin", noise(MIB));
  await rig.sync();
  put(rig, "copy.bin", noise(MIB));
  let isEdited = false;
  transport.measures = {
    onWrite(piece) {
      if (isEdited || new TextDecoder().decode(piece) !== "go\n") return;
      isEdited = true;
      const file = Deno.openSync(join(rig.there, "model.bin"), { write: true });
      file.writeSync(new Uint8Array(100));
      file.close();
    },
  };
  await rig.sync();
  assert.equal(isEdited, true);
  assert.deepEqual(Deno.readFileSync(join(rig.there, "copy.bin")), noise(MIB));
});

Deno.test("of a large file that changed a little, little is sent", async () => {
  const { transport, rig } = startMeasured();
  await using _ = rig;
  const bytes = noise(8 * MIB);
  put(rig, "data.bin", bytes);
  await rig.sync();
  const changed = Buffer.concat([
    noise(10, 3),
    bytes.subarray(0, 5 * MIB),
    bytes.subarray(5 * MIB + 9),
  ]);
  changed.fill(0, 2 * MIB, 2 * MIB + 80_000);
  put(rig, "data.bin", changed);
  transport.sent = 0;
  const report = await rig.sync();
  assert.equal(report.sent, 1);
  assert.ok(report.bytes < 120_000, `${report.bytes} bytes of content`);
  assert.ok(transport.sent < 250_000, `${transport.sent} bytes`);
  assertEqualTrees(rig);
  assert.equal((await rig.sync()).sent, 0);
});

for (const [where, tools] of [["a node with all tools", ""], ["one without python3", "python3"]]) {
  Deno.test(`a transfer that broke off goes on where it stopped, on ${where}`, async () => {
    using temp = tempDir();
    const honest = tools === ""
      ? createLocalTransport(localEndpoint("n1"))
      : transportWithPath(linkPrograms(temp.path, { without: [tools ?? ""] }));
    const { transport, rig } = startMeasured(honest);
    await using _ = rig;
    for (let at = 0; at < 20; at++) put(rig, `a${at}.bin`, noise(100_000, at));
    put(rig, "m-large.bin", noise(6 * MIB, 99));
    for (let at = 0; at < 20; at++) put(rig, `z${at}.bin`, noise(100_000, at + 50));
    const total = 6 * MIB + 40 * 100_000;
    transport.measures = { cutAfter: total / 2 };
    await assert.rejects(rig.sync());
    assert.equal(existsSync(rig.there), false);
    transport.measures = {};
    transport.sent = 0;
    const report = await rig.sync();
    assert.equal(report.sent, 41);
    assert.ok(transport.sent < total * 0.6, `${transport.sent} of ${total}`);
    assertEqualTrees(rig);
    assert.deepEqual(
      [...Deno.readDirSync(join(rig.root, ".grid/sync/app"))].map((it) => it.name)
        .filter((name) => /^(work|partial|lock|pending)/.test(name)),
      [],
    );
    assert.equal((await rig.sync()).sent, 0);
  });
}

Deno.test("nothing of a transfer that broke off comes back where the source has changed since", async () => {
  const { transport, rig } = startMeasured();
  await using _ = rig;
  put(rig, "a.bin", noise(500_000, 1));
  put(rig, "b/c.bin", noise(500_000, 2));
  put(rig, "d.bin", noise(5_000_000, 3));
  rig.write({ "link": "no link yet" });
  transport.measures = { cutAfter: 3_000_000 };
  await assert.rejects(rig.sync());
  transport.measures = {};
  put(rig, "a.bin", noise(500_000, 4));
  rig.write({ "b": undefined });
  rig.write({ "b": "a file now", "d.bin": "short", "link": undefined });
  Deno.symlinkSync("a.bin", join(rig.source, "link"));
  await rig.sync();
  assertEqualTrees(rig);
});

Deno.test("a link that proves to be slow carries text compressed, and what does not shrink as it is", async () => {
  const { transport, rig } = startMeasured();
  await using _ = rig;
  const text = Array.from(
    { length: 60_000 },
    (_, at) => `row ${at} of many rows of text ${at % 97}\n`,
  );
  rig.write({ "rows.txt": text.join("") });
  put(rig, "noise.bin", noise(MIB));
  transport.measures = { bytesPerMs: 2000 };
  await rig.sync();
  const total = text.join("").length + MIB;
  assert.ok(transport.sent < MIB + total / 2, `${transport.sent} of ${total}`);
  assertEqualTrees(rig);
});

Deno.test("a stream that arrives other than it was sent is refused, and nothing is changed", async () => {
  const { transport, rig } = startMeasured();
  await using _ = rig;
  rig.write({ "a.txt": "first" });
  await rig.sync();
  rig.write({ "a.txt": "second, and longer" });
  transport.measures = {
    onWrite(piece) {
      const at = Buffer.from(piece.buffer, piece.byteOffset, piece.length).indexOf("second,");
      if (at >= 0) piece[at] = 0x53;
    },
  };
  await assert.rejects(rig.sync(), /failed verify/);
  assert.deepEqual(readTree(rig.there), { "a.txt": "file first" });
});

Deno.test("a few files whose link breaks change nothing, wherever it does", async () => {
  const { transport, rig } = startMeasured();
  await using _ = rig;
  const write = (text: string) => rig.write({ "a.txt": text, "b.txt": text });
  write("one  ");
  await rig.sync();
  write("two  ");
  transport.sent = 0;
  await rig.sync();
  const all = transport.sent;
  for (const [number, missing] of [1, 1500, 7000].entries()) {
    write(`cut ${number}`);
    transport.measures = { cutAfter: all - missing };
    await assert.rejects(rig.sync(), `${missing} missing`);
    assert.deepEqual(readTree(rig.there), { "a.txt": "file two  ", "b.txt": "file two  " });
    transport.measures = {};
    await rig.sync();
    const text = `file cut ${number}`;
    assert.deepEqual(readTree(rig.there), { "a.txt": text, "b.txt": text });
    write("two  ");
    await rig.sync();
  }
});

Deno.test("a tar that writes less than it was given is noticed", async () => {
  using temp = tempDir();
  const tar = `/bin/tar "$@" && for file in "$2"/tree/*.bin; do : >"$file"; done`;
  await using rig = startSyncRig({ transport: transportWithPrograms(temp.path, { tar }) });
  put(rig, "a.bin", noise(1000));
  await assert.rejects(rig.sync(), /failed verify/);
  assert.equal(existsSync(rig.there), false);
});

Deno.test("files are read once for all nodes that lack them", async () => {
  const { transport, rig } = startMeasured();
  await using _ = rig;
  for (let at = 0; at < 10; at++) put(rig, `f${at}.bin`, noise(300_000, at));
  const targets = ["n1", "n2", "n3"].map((node) => ({
    node,
    transport,
    root: join(rig.folder, node),
  }));
  // A reading moves the time of the last access only where it is on; what cannot be read twice tells too.
  const opened: string[] = [];
  const open = Deno.openSync;
  Deno.openSync = (path, options) => {
    opened.push(String(path));
    return open(path, options);
  };
  try {
    for (const result of await syncFolders(targets, rig.options)) assert.equal(result.ok, true);
  } finally {
    Deno.openSync = open;
  }
  assert.equal(opened.filter((path) => path.startsWith(rig.source)).length, 10);
  for (const { root } of targets) {
    assert.deepEqual(readTree(join(root, "app")), readTree(rig.source));
  }
});

Deno.test("a tree of any depth is moved in with few processes", async () => {
  using temp = tempDir();
  const log = join(temp.path, "log");
  const mv = `echo x >>'${log}'; exec /bin/mv "$@"`;
  await using rig = startSyncRig({ transport: transportWithPrograms(temp.path, { mv }) });
  const deep = Array.from({ length: 60 }, (_, at) => `d${at}`).join("/");
  rig.write({ [`${deep}/a.txt`]: "1", "b.txt": "1" });
  await rig.sync();
  rig.write({ [`${deep}/a.txt`]: "2", [`${deep}/new/c.txt`]: "3" });
  Deno.writeTextFileSync(log, "");
  await rig.sync();
  assertEqualTrees(rig);
  const count = Deno.readTextFileSync(log).length / 2;
  assert.ok(count < 12, `${count} times mv`);
});
