/** A data set from this machine to one node, from where the last try left off. */
import { Buffer } from "node:buffer";
import { concatBytes } from "../core/bytes.ts";
import { GridError } from "../core/errors.ts";
import { mtimeSeconds } from "../sync/file_state.ts";
import type { SourceEntry } from "../sync/hash.ts";
import { tarEnd, tarHeader, tarPadding } from "../sync/tar.ts";
import type { NodeStore } from "./node_store.ts";
import type { DataSet } from "./source.ts";

/** A node takes a piece in one go. */
const PIECE_BYTES = 2 ** 22;
/** Smaller files travel together. */
const SMALL_BYTES = 2 ** 20;

export interface DeliverOptions {
  readonly set: DataSet;
  /** What arrived before, by path. */
  readonly there: ReadonlyMap<string, number>;
  readonly signal: AbortSignal;
  readonly took: (sent: { readonly bytes: number; readonly files: number }) => void;
}

/** Gives the bytes of content that were sent. */
export async function deliver(store: NodeStore, options: DeliverOptions): Promise<number> {
  const { set, there } = options;
  const missing = set.entries.filter(({ type, path, size }) =>
    type === "file" && there.get(path) !== size
  );
  let sent = 0;
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  let batchFiles = 0;
  const flush = async () => {
    if (batch.length === 0) return;
    await store.tar(concatBytes([...batch, tarEnd()]));
    options.took({ bytes: batchBytes, files: batchFiles });
    [batch, batchBytes, batchFiles] = [[], 0, 0];
  };
  for (const entry of missing) {
    if (entry.size >= SMALL_BYTES) sent += await sendLarge(entry, { ...options, store });
    else {
      if (batchBytes + entry.size > PIECE_BYTES - SMALL_BYTES || batchFiles >= 1000) await flush();
      batch.push(...await member(entry, set));
      batchBytes += entry.size;
      batchFiles++;
      sent += entry.size;
    }
    options.signal.throwIfAborted();
  }
  await flush();
  await store.settle();
  return sent;
}

async function sendLarge(
  entry: SourceEntry,
  { set, there, store, took, signal }: DeliverOptions & { readonly store: NodeStore },
): Promise<number> {
  const { path, size } = entry;
  const begun = there.get(path) ?? 0;
  // Longer than it can be: the sum would find it, but only after all of it was sent.
  let at = begun > size ? await restart(store, entry) : begun;
  const from = at;
  using file = await openSource(entry, set);
  await file.seek(at, Deno.SeekMode.Start);
  while (at < size) {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, size - at));
    let filled = 0;
    while (filled < piece.length) {
      const count = await file.read(piece.subarray(filled));
      if (count === null) throw changed(entry);
      filled += count;
    }
    await store.piece(path, piece);
    at += filled;
    took({ bytes: filled, files: at === size ? 1 : 0 });
    signal.throwIfAborted();
  }
  return at - from;
}

/** An archive writes over what is there. */
async function restart(store: NodeStore, { path }: SourceEntry): Promise<number> {
  const header = tarHeader({ path, type: "file", mode: 0o644, size: 0, mtime: 0 });
  await store.tar(concatBytes([header, tarEnd()]));
  return 0;
}

async function member(entry: SourceEntry, set: DataSet): Promise<Uint8Array[]> {
  const { path, size, state } = entry;
  const bytes = new Uint8Array(size);
  using file = await openSource(entry, set);
  for (let filled = 0; filled < size;) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) throw changed(entry);
    filled += count;
  }
  const mtime = mtimeSeconds(state);
  const header = tarHeader({ path, type: "file", mode: 0o644, size, mtime });
  return [header, bytes, Buffer.alloc(tarPadding(size))];
}

async function openSource({ path }: SourceEntry, { folder }: DataSet): Promise<Deno.FsFile> {
  try {
    return await Deno.open(`${folder}/${path}`);
  } catch (cause) {
    throw new GridError({
      code: "sync",
      message: `Cannot bring the data set: "${path}" cannot be read any more`,
      hint: "Run it again; what arrived is kept",
      cause,
    });
  }
}

function changed({ path }: SourceEntry): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot bring the data set: "${path}" became shorter while it was sent`,
    hint: "Run it again: what it holds now is another set",
  });
}
