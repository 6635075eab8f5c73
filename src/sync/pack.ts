/** Writes what has to travel as one tar stream, and says what really went into it. */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import type { Entry } from "./entry.ts";
import { isSameState, READ_ATTEMPTS, statFile } from "./hash.ts";
import { tarHeader, tarPadding } from "./tar.ts";

const PIECE_BYTES = 2 ** 20;

/** Takes bytes in order; the promise holds the packer back. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

export interface PackOptions {
  readonly source: string;
  readonly useChecksums: boolean;
  readonly followSymlinks: boolean;
  /** Path inside the archive before every entry's path, with its `/`. */
  readonly prefix: string;
  readonly write: Sink;
  readonly signal: AbortSignal;
}

export interface Packed {
  /** What travelled, as it really was: a file may have changed since the plan was made. */
  readonly sent: readonly Entry[];
  /** Files that never stood still, or are gone. */
  readonly torn: readonly string[];
  /** SHA-256 in hex over the contents of all files sent, in order. */
  readonly sum: string;
  /** Bytes of file content. */
  readonly bytes: number;
}

export async function packEntries(
  entries: readonly Entry[],
  options: PackOptions,
): Promise<Packed> {
  const sent: Entry[] = [];
  const torn: string[] = [];
  let sum = createHash("sha256");
  let bytes = 0;
  for (const entry of entries) {
    options.signal.throwIfAborted();
    if (entry.type !== "file") {
      await options.write(tarHeader({ ...memberOf(entry, options), target: entry.content }));
      sent.push(entry);
      continue;
    }
    const packed = await packFile(entry, { ...options, sum });
    if (packed === undefined) torn.push(entry.path);
    else {
      sent.push(packed.entry);
      sum = packed.sum;
      bytes += packed.entry.size;
    }
  }
  return { sent, torn, sum: sum.digest("hex"), bytes };
}

function memberOf(entry: Entry, options: PackOptions) {
  const isPlainFile = entry.type === "file" && !entry.executable;
  return {
    path: options.prefix + entry.path,
    type: entry.type,
    mode: isPlainFile ? 0o644 : 0o755,
    size: entry.size,
    mtime: Math.floor(Date.now() / 1000),
  };
}

interface FileOptions extends PackOptions {
  readonly sum: ReturnType<typeof createHash>;
}

interface PackedFile {
  readonly entry: Entry;
  readonly sum: ReturnType<typeof createHash>;
}

/** A later member of the same name replaces the earlier one, so a file can simply be written again. */
async function packFile(entry: Entry, options: FileOptions): Promise<PackedFile | undefined> {
  const path = `${options.source}/${entry.path}`;
  for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt++) {
    const sum = options.sum.copy();
    const file = openFile(path);
    if (file === undefined) return undefined;
    try {
      const before = fstatSync(file, { bigint: true });
      if (!before.isFile()) return undefined;
      const read = await writeFile(entry, { ...options, sum, file, stat: before });
      const after = statFile(path, options.followSymlinks);
      if (read.isWhole && after !== undefined && isSameState(before, after)) {
        return { entry: read.entry, sum };
      }
    } finally {
      closeSync(file);
    }
  }
  return undefined;
}

interface WriteOptions extends FileOptions {
  readonly file: number;
  readonly stat: BigIntStats;
}

/** Writes exactly as many bytes as the header promises, whatever the file does meanwhile. */
async function writeFile(
  entry: Entry,
  options: WriteOptions,
): Promise<{ entry: Entry; isWhole: boolean }> {
  const { stat, file, sum, write } = options;
  const size = Number(stat.size);
  const executable = (stat.mode & 0o100n) !== 0n;
  const mtime = Number(stat.mtimeNs / 1_000_000_000n);
  await write(tarHeader({ ...memberOf({ ...entry, executable, size }, options), mtime }));
  const own = createHash("sha256");
  let isWhole = true;
  for (let left = size; left > 0;) {
    // A fresh buffer each time: the stream may still hold the last one.
    const buffer = new Uint8Array(Math.min(left, PIECE_BYTES));
    // A file that became shorter leaves zeros, and is written once more by the caller.
    if (fill(file, buffer) < buffer.length) isWhole = false;
    sum.update(buffer);
    own.update(buffer);
    await write(buffer);
    left -= buffer.length;
  }
  await write(new Uint8Array(tarPadding(size)));
  const content = options.useChecksums ? `sha256:${own.digest("hex")}` : `mtime:${stat.mtimeNs}`;
  return { entry: { ...entry, executable, size, content }, isWhole };
}

function openFile(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Reads until the buffer is full or the file ends. */
function fill(file: number, buffer: Uint8Array): number {
  let at = 0;
  for (let count = -1; at < buffer.length && count !== 0; at += count) {
    count = readSync(file, buffer, at, buffer.length - at, null);
  }
  return at;
}
