/** Gives every file of the source its content's name; unchanged files come from the cache. */
import { nodeCrypto } from "../core/node_builtins.ts";
import { Turns } from "../core/turns.ts";
import type { Entry } from "./entry.ts";
import { type FileState, isExecutable, isSameState, readState } from "./file_state.ts";
import { readProblem, type Skipped } from "./read_problem.ts";

export interface HashOptions {
  readonly source: string;
  /** False: a file is known by its size and time alone, as with `rsync` without `--checksum`. */
  readonly useChecksums: boolean;
  readonly followSymlinks: boolean;
  readonly signal: AbortSignal;
}

/**
 * A thing of the source, made once: there may be very many. A file's `content` is empty until somebody
 * needs to read it, and is written here then.
 */
export interface SourceEntry extends Entry {
  content: string;
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

/** Reads every file whose hash is still unknown. */
export async function hashMissing(
  entries: readonly SourceEntry[],
  options: HashOptions,
): Promise<Hashed> {
  const hashed: SourceEntry[] = [];
  const skipped: Skipped[] = [];
  const reading = { ...options, turns: new Turns(options) };
  for (const entry of entries) {
    if (!isUnhashed(entry)) {
      hashed.push(entry);
      continue;
    }
    const result = await hashSteadily(entry, reading);
    if ("reason" in result) skipped.push(result);
    else hashed.push(result);
  }
  return { entries: hashed, skipped };
}

export function isUnhashed(entry: Entry): boolean {
  return entry.type === "file" && entry.content === "";
}

export function contentByTime(state: FileState): string {
  return `mtime:${state.mtimeMs}`;
}

interface ReadOptions extends HashOptions {
  readonly turns: Turns;
}

async function hashSteadily(
  entry: SourceEntry,
  options: ReadOptions,
): Promise<SourceEntry | Skipped> {
  const path = `${options.source}/${entry.path}`;
  let before: FileState | undefined = entry.state;
  try {
    for (let attempt = 1; attempt <= READ_ATTEMPTS && before?.kind === "file"; attempt++) {
      const content = `sha256:${await sumInTurns(path, options.turns)}`;
      const after = readState(path, options.followSymlinks);
      if (after !== undefined && isSameState(before, after)) {
        if (before !== entry.state) {
          return {
            ...entry,
            executable: isExecutable(after),
            size: after.size,
            content,
            state: after,
          };
        }
        entry.content = content;
        return entry;
      }
      before = after;
    }
  } catch (error) {
    options.signal.throwIfAborted();
    return readProblem(entry.path, error);
  }
  return { path: entry.path, reason: "it changed while it was being read", isUnread: true };
}

const piece = new Uint8Array(256 * 1024);

/**
 * SHA-256 in hex. What is read is taken up at once: while others have their turn the piece may be filled for
 * another file.
 */
export async function sumInTurns(path: string, turns: Turns): Promise<string> {
  const digest = nodeCrypto().createHash("sha256");
  using file = Deno.openSync(path);
  for (let count = file.readSync(piece); count !== null; count = file.readSync(piece)) {
    digest.update(piece.subarray(0, count));
    if (turns.areDue) await turns.next();
  }
  return digest.digest("hex");
}

/** SHA-256 in hex, read in pieces, so that a large file holds nothing else up. */
export async function sumOfFile(path: string): Promise<string> {
  const digest = nodeCrypto().createHash("sha256");
  using file = await Deno.open(path);
  const block = new Uint8Array(2 ** 20);
  for (let count = await file.read(block); count !== null; count = await file.read(block)) {
    digest.update(block.subarray(0, count));
  }
  return digest.digest("hex");
}
