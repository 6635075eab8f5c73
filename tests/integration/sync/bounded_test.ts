/** A node that never comes to an end: each answer has a bound, which the error names. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { GridError } from "../../../src/core/errors.ts";
import { Conversation } from "../../../src/sync/conversation.ts";
import { fetchFiles } from "../../../src/sync/fetch.ts";
import { syncFolders } from "../../../src/sync/folders.ts";
import {
  endless,
  lyingTransport,
  replaced,
  said,
  silence,
  turned,
} from "../../support/lying_transport.ts";
import { readTree, startSyncRig, type SyncRig, writeFiles } from "../../support/sync_rig.ts";

/** What the script prints once it has been started. */
const MARKER = /grid:[a-z0-9]{12}\n/;
const MEBIBYTE = 2 ** 20;

function fetchThrough(
  rig: SyncRig,
  lie: (out: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>,
) {
  return fetchFiles({
    transport: lyingTransport(rig.transport, { stdout: lie }),
    folder: rig.root,
    from: ["out"],
    to: join(rig.folder, "results"),
    signal: rig.options.signal,
  });
}

async function syncThrough(
  rig: SyncRig,
  lie: (out: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>,
) {
  const transport = lyingTransport(rig.transport, { stdout: lie });
  const [result] = await syncFolders([{ ...rig.target, transport }], rig.options);
  if (!result?.ok) throw result?.error;
}

const WAYS = { "fetch": fetchThrough, "sync": syncThrough } as const;

for (const [way, act] of Object.entries(WAYS)) {
  Deno.test(`${way}: an endless line is ended at 64 KiB, node and bound are named`, async () => {
    await using rig = startSyncRig();
    rig.write({ "a": "1" });
    writeFiles(rig.root, { "out/a": "1" });
    const line = endless("x");
    const lie = (out: ReadableStream<Uint8Array>) =>
      turned(out, { after: MARKER, then: line.stream });
    await assert.rejects(act(rig, lie), (error: GridError) => {
      assert.match(error.message, /"n1": it sent a line longer than 64\.0 KiB/);
      assert.equal(error.exitCode, 1);
      return true;
    });
    assert.equal(line.given() < MEBIBYTE, true, `${line.given()} bytes were taken`);
  });

  Deno.test(`${way}: a list without an end is refused by the size that it claims`, async () => {
    await using rig = startSyncRig();
    rig.write({ "a": "1" });
    writeFiles(rig.root, { "out/a": "1" });
    const list = endless("x");
    const size = 3_000_000_000;
    const first = way === "fetch"
      ? `found ${size} 0 0 0 0 0\n`
      : `state none same 100 patch new none ${size} 0 0 0 0\n`;
    const then = ReadableStream.from(async function* () {
      yield* said(first);
      yield* list.stream;
    }());
    await assert.rejects(
      act(rig, (out) => turned(out, { after: MARKER, then })),
      /"n1": it sent more than \d+\.0 MiB of/,
    );
    assert.equal(list.given() < MEBIBYTE, true, `${list.given()} bytes were taken`);
  });

  Deno.test(`${way}: a node that is busy without a pause is given up`, async () => {
    await using rig = startSyncRig();
    rig.write({ "a": "1" });
    writeFiles(rig.root, { "out/a": "1" });
    const busy = endless("busy\n");
    const lie = (out: ReadableStream<Uint8Array>) =>
      turned(out, { after: MARKER, then: busy.stream });
    await assert.rejects(act(rig, lie), /"n1": it sent "busy" 17280 times, and no answer/);
    assert.equal(busy.given() < MEBIBYTE, true, `${busy.given()} bytes were taken`);
  });

  Deno.test(`${way}: a greeting without an end is ended`, async () => {
    await using rig = startSyncRig();
    rig.write({ "a": "1" });
    writeFiles(rig.root, { "out/a": "1" });
    const greeting = endless("welcome\n");
    await assert.rejects(
      act(rig, () => greeting.stream),
      /"n1": it sent more than 1\.0 MiB before its answer/,
    );
    assert.equal(greeting.given() < 3 * MEBIBYTE, true);
  });
}

Deno.test("sync: the shortest names make no longer list than others", async () => {
  await using rig = startSyncRig();
  rig.write({ "a": "1" });
  const then = said(`state none same 100 patch new none 0 0 0 0 400000\n${"\0".repeat(400_000)}`);
  const lie = (out: ReadableStream<Uint8Array>) => turned(out, { after: MARKER, then });
  await assert.rejects(
    syncThrough(rig, lie),
    /"n1": it sent more than 300000 names that an earlier sync left/,
  );
});

Deno.test("a node that falls silent is given up after the deadline, by name", async () => {
  await using rig = startSyncRig();
  const transport = lyingTransport(rig.transport, { stdout: () => silence() });
  const start = Conversation.start(transport, {
    script: "cat",
    words: [],
    signal: rig.options.signal,
    silenceMs: 50,
  });
  await assert.rejects(start, (error: GridError) => {
    assert.equal(error.code, "timed-out");
    assert.match(error.message, /"n1": nothing moved for 50ms/);
    return true;
  });
});

Deno.test("fetch: sums that are not those of the files, and counts that are no numbers", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, { "out/a": "1" });
  const zeros = (text: string) => text.replaceAll(/[0-9a-f]{64}/g, "0".repeat(64));
  const transport = lyingTransport(rig.transport, {
    stdout: (out) => replaced(out, zeros),
    exec: (_, honest) => ({ ...honest, stdout: zeros(honest.stdout) }),
  });
  const to = join(rig.folder, "results");
  const options = { transport, folder: rig.root, from: ["out"], to, signal: rig.options.signal };
  await assert.rejects(fetchFiles(options), /out\/a kept changing while it was read/);
  for (const answer of ["found -1 0 0 0 0 0\n", "found 1e3 0 0 0 0 0\n", "found\n", "nonsense\n"]) {
    const lie = (out: ReadableStream<Uint8Array>) =>
      turned(out, { after: MARKER, then: said(answer) });
    await assert.rejects(fetchThrough(rig, lie), /Cannot fetch from "n1": it answered/);
  }
  assert.deepEqual(readTree(to), { "out": "folder" });
});
