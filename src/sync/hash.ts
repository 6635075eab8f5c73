/** Gives every file of the source its content's name; unchanged files come from the cache. */
import { createHash } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { hash } from "node:crypto";
import type { Entry } from "./entry.ts";
import type { HashCache } from "./hash_cache.ts";
import type { Found, Skipped } from "./walk.ts";

export interface HashOptions {
  readonly source: string;
  readonly cache: HashCache;
  /** False: a file is known by its size and time alone, as with `rsync` without `--checksum`. */
  readonly useChecksums: boolean;
  readonly followSymlinks: boolean;
  readonly signal: AbortSignal;
}

export interface Hashed {
  /** Sorted by path. */
  readonly entries: readonly Entry[];
  /** Files that changed or went away while they were read. */
  readonly skipped: readonly Skipped[];
}

/** Files larger than this are read in pieces. */
export const WHOLE_FILE_BYTES = 4 * 2 ** 20;
/** A file that changes while it is read is read again this often. */
export const READ_ATTEMPTS = 3;
const FILES_PER_TURN = 200;

export async function hashFound(found: readonly Found[], options: HashOptions): Promise<Hashed> {
  const entries: Entry[] = [];
  const skipped: Skipped[] = [];
  let read = 0;
  for (const item of found) {
    if (item.type !== "file") {
      entries.push(toEntry(item, item.target));
      continue;
    }
    const known = options.useChecksums
      ? options.cache.get(item.path, item.stat)
      : `mtime:${item.stat.mtimeNs}`;
    if (known !== undefined) {
      entries.push(toEntry(item, known));
      continue;
    }
    const entry = hashSteadily(item, options);
    if (entry === undefined) {
      skipped.push({ path: item.path, reason: "it changed while it was being read" });
    } else entries.push(entry);
    if (++read % FILES_PER_TURN > 0) continue;
    await new Promise((resolve) => setImmediate(resolve));
    options.signal.throwIfAborted();
  }
  return { entries, skipped };
}

/** Undefined where the file never stood still, or is gone. */
function hashSteadily(item: Found, options: HashOptions): Entry | undefined {
  const path = `${options.source}/${item.path}`;
  let before: BigIntStats | undefined = item.stat;
  for (let attempt = 1; attempt <= READ_ATTEMPTS && before?.isFile(); attempt++) {
    const content = hashFile(path, Number(before.size));
    const after = statFile(path, options.followSymlinks);
    if (content !== undefined && after !== undefined && isSameState(before, after)) {
      options.cache.set(item.path, after, content);
      const executable = (after.mode & 0o100n) !== 0n;
      return { path: item.path, type: "file", executable, size: Number(after.size), content };
    }
    before = after;
  }
  return undefined;
}

export function statFile(path: string, followSymlinks: boolean): BigIntStats | undefined {
  const stat = followSymlinks ? statSync : lstatSync;
  return stat(path, { bigint: true, throwIfNoEntry: false });
}

/** Whether nothing has written to the file between two looks at it. */
export function isSameState(a: BigIntStats, b: BigIntStats): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.ino === b.ino;
}

function toEntry(item: Found, content: string): Entry {
  const { path, type, executable, size } = item;
  return { path, type, executable, size, content };
}

function hashFile(path: string, size: number): string | undefined {
  try {
    return `sha256:${
      size <= WHOLE_FILE_BYTES ? hash("sha256", readFileSync(path)) : hashLarge(path)
    }`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function hashLarge(path: string): string {
  const digest = createHash("sha256");
  const buffer = new Uint8Array(2 ** 20);
  const file = openSync(path, "r");
  try {
    for (let count = -1; count !== 0;) {
      count = readSync(file, buffer, 0, buffer.length, null);
      digest.update(buffer.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
  return digest.digest("hex");
}
