/** Gives every file of the source its content's name; unchanged files come from the cache. */
import { createHash } from "node:crypto";
import type { Entry } from "./entry.ts";
import { type FileState, isExecutable, isSameState, readState } from "./file_state.ts";
import type { HashCache } from "./hash_cache.ts";
import { readProblem, type Skipped } from "./read_problem.ts";
import type { Found } from "./walk.ts";

export interface HashOptions {
  readonly source: string;
  readonly cache: HashCache;
  /** False: a file is known by its size and time alone, as with `rsync` without `--checksum`. */
  readonly useChecksums: boolean;
  readonly followSymlinks: boolean;
  readonly signal: AbortSignal;
}

/** A thing of the source. A file's `content` is empty until somebody needs to read it. */
export interface SourceEntry extends Entry {
  /** As the walk saw it. */
  readonly state: FileState;
}

export interface Hashed {
  /** Sorted by path. */
  readonly entries: readonly SourceEntry[];
  /** Files that changed, went away or could not be read. */
  readonly skipped: readonly Skipped[];
}

/** A file that changes while it is read is read again this often. */
export const READ_ATTEMPTS = 3;
const FILES_PER_TURN = 500;

/** Entries with the hashes that the cache knows; the rest is still to be read. */
export function recallHashes(found: readonly Found[], options: HashOptions): SourceEntry[] {
  return found.map((item) => ({
    path: item.path,
    type: item.type,
    executable: item.executable,
    size: item.size,
    content: item.type === "file" ? recall(item, options) : item.target,
    state: item.state,
  }));
}

function recall({ path, state }: Found, { cache, useChecksums }: HashOptions): string {
  return useChecksums ? cache.get(path, state) ?? "" : contentByTime(state);
}

/** Reads every file whose hash is still unknown. */
export async function hashMissing(
  entries: readonly SourceEntry[],
  options: HashOptions,
): Promise<Hashed> {
  const hashed: SourceEntry[] = [];
  const skipped: Skipped[] = [];
  let read = 0;
  for (const entry of entries) {
    if (!isUnhashed(entry)) {
      hashed.push(entry);
      continue;
    }
    const result = hashSteadily(entry, options);
    if ("reason" in result) skipped.push(result);
    else hashed.push(result);
    if (++read % FILES_PER_TURN > 0) continue;
    await new Promise((resolve) => setImmediate(resolve));
    options.signal.throwIfAborted();
  }
  return { entries: hashed, skipped };
}

export function isUnhashed(entry: Entry): boolean {
  return entry.type === "file" && entry.content === "";
}

export function contentByTime(state: FileState): string {
  return `mtime:${state.mtime?.getTime()}`;
}

function hashSteadily(entry: SourceEntry, options: HashOptions): SourceEntry | Skipped {
  const path = `${options.source}/${entry.path}`;
  let before: FileState | undefined = entry.state;
  try {
    for (let attempt = 1; attempt <= READ_ATTEMPTS && before?.isFile; attempt++) {
      const content = `sha256:${hashFile(path)}`;
      const after = readState(path, options.followSymlinks);
      if (after !== undefined && isSameState(before, after)) {
        options.cache.set(entry.path, after, content);
        const executable = isExecutable(after);
        return { ...entry, executable, size: after.size, content, state: after };
      }
      before = after;
    }
  } catch (error) {
    return readProblem(entry.path, error);
  }
  return { path: entry.path, reason: "it changed while it was being read", isUnread: true };
}

const piece = new Uint8Array(256 * 1024);

function hashFile(path: string): string {
  const digest = createHash("sha256");
  using file = Deno.openSync(path);
  for (let count = file.readSync(piece); count !== null; count = file.readSync(piece)) {
    digest.update(piece.subarray(0, count));
  }
  return digest.digest("hex");
}

/** SHA-256 in hex, read in pieces, so that a large file holds nothing else up. */
export async function sumOfFile(path: string): Promise<string> {
  const digest = createHash("sha256");
  using file = await Deno.open(path);
  const block = new Uint8Array(2 ** 20);
  for (let count = await file.read(block); count !== null; count = await file.read(block)) {
    digest.update(block.subarray(0, count));
  }
  return digest.digest("hex");
}
