/** A data set as it lies on this machine: all of a folder, or one file, known by what it holds. */
import { createHash, hash } from "node:crypto";
import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { GridError } from "../core/errors.ts";
import { relativePathFault } from "../core/relative_path.ts";
import { type FileState, isSameState, readState } from "../sync/file_state.ts";
import { HashCache } from "../sync/hash_cache.ts";
import { isUnhashed, type SourceEntry } from "../sync/hash.ts";
import { IgnoreLines, toBytes } from "../sync/ignore_lines.ts";
import type { IgnoreRules } from "../sync/ignore.ts";
import { walkSource } from "../sync/walk.ts";

export interface DataSet {
  /** SHA-256 of the manifest in hex. */
  readonly digest: string;
  /** Names all that it holds, with sums. */
  readonly manifest: string;
  /** Folder that the entries' paths begin in. */
  readonly folder: string;
  /** Where it is one file: its name. */
  readonly only: string | undefined;
  /** Sorted by path. */
  readonly entries: readonly SourceEntry[];
  readonly files: number;
  readonly bytes: number;
}

export interface DataSourceOptions {
  /** Absolute: a folder or a file. */
  readonly source: string;
  /** Patterns in gitignore syntax; no other rule leaves anything out. */
  readonly exclude: readonly string[];
  /** Folder for the hash cache. */
  readonly cacheFolder: string;
  readonly signal: AbortSignal;
}

const MAGIC = "grid-data 1";
/** Sets of more are archives rather: each file costs its node a look at each use. */
const MOST_FILES = 1_000_000;
const READ_BYTES = 2 ** 20;

/**
 * Looks at all of it and reads what is not known yet.
 *
 * @throws {GridError} `sync` where anything of it cannot be read, or could not be on a node
 */
export async function readDataSet(options: DataSourceOptions): Promise<DataSet> {
  const { source, signal } = options;
  const found = statSync(source, { throwIfNoEntry: false });
  if (found === undefined) throw missing(source);
  const isFile = found.isFile();
  const [folder, only] = isFile ? [dirname(source), basename(source)] : [source, undefined];
  const rules = onlyExclude(options.exclude);
  const walk = await walkSource({ source: folder, only, rules, followSymlinks: false, signal });
  const [odd] = [...walk.skipped, ...walk.found.flatMap(oddName)];
  if (odd) throw notWhole(source, odd);
  if (walk.found.length === 0) {
    throw notWhole(source, { path: ".", reason: "there is nothing in it" });
  }
  const cache = new HashCache(walk.found, {
    folder: options.cacheFolder,
    source: `data:${source}`,
  });
  for (const entry of walk.found) {
    if (isUnhashed(entry)) await sum(entry, { folder, signal, source });
  }
  cache.save();
  const files = walk.found.filter(({ type }) => type === "file");
  if (files.length > MOST_FILES) {
    throw notWhole(source, { path: ".", reason: `it has more than ${MOST_FILES} files` });
  }
  const manifest = [MAGIC, ...walk.found.map(rowOf), ""].join("\n");
  return {
    digest: hash("sha256", manifest),
    manifest,
    folder,
    only,
    entries: walk.found,
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  };
}

/** Kind, sum or target, size, x-bit, path; a tab between them. */
function rowOf({ type, content, size, executable, path }: SourceEntry): string {
  if (type === "folder") return `d\t-\t0\t-\t${path}`;
  if (type === "link") return `l\t${content}\t0\t-\t${path}`;
  return `f\t${content.slice("sha256:".length)}\t${size}\t${executable ? "x" : "-"}\t${path}`;
}

/** Names go through tools on nodes that know lines, and sums that escape backslashes. */
function oddName({ path, type, content }: SourceEntry) {
  const texts = type === "link" ? [path, content] : [path];
  if (texts.some((text) => text.includes("\\"))) {
    return [{ path, reason: "a backslash in a name" }];
  }
  if (texts.some((text) => /\p{Cc}/u.test(text))) {
    return [{ path: path.replaceAll(/\p{Cc}/gu, "?"), reason: "a control character in a name" }];
  }
  const fault = relativePathFault(path);
  return fault === undefined ? [] : [{ path, reason: `its name ${fault}` }];
}

interface SumOptions {
  readonly folder: string;
  readonly source: string;
  readonly signal: AbortSignal;
}

/** Files may be very large: read in pieces, so that everything else goes on. */
async function sum(
  entry: SourceEntry,
  { folder, signal, source }: SumOptions,
): Promise<void> {
  const path = `${folder}/${entry.path}`;
  let after: FileState | undefined;
  try {
    entry.content = `sha256:${await sumOf(path, signal)}`;
    after = readState(path);
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Deno.errors.PermissionDenied
      ? "it cannot be read: permission denied"
      : `it cannot be read: ${(error as Error).message}`;
    throw notWhole(source, { path: entry.path, reason });
  }
  if (after === undefined || !isSameState(entry.state, after)) {
    throw notWhole(source, {
      path: entry.path,
      reason: "it changed while it was being read",
    });
  }
}

async function sumOf(path: string, signal: AbortSignal): Promise<string> {
  const digest = createHash("sha256");
  using file = await Deno.open(path);
  const piece = new Uint8Array(READ_BYTES);
  for (let count = await file.read(piece); count !== null; count = await file.read(piece)) {
    digest.update(piece.subarray(0, count));
    signal.throwIfAborted();
  }
  return digest.digest("hex");
}

/** Neither git nor its ignore files have a say in what data is. */
function onlyExclude(exclude: readonly string[]): IgnoreRules {
  const lines = new IgnoreLines(exclude.join("\n"));
  return {
    enter() {},
    find(path, isFolder) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (name === ".grid") return { from: "built in", pattern: ".grid/" };
      const found = lines.find(toBytes(name), () => toBytes(path), isFolder);
      return found === undefined || found.takesIn
        ? undefined
        : { from: "exclude", pattern: found.text };
    },
    tracked: () => undefined,
    guards: () => [],
  };
}

function missing(source: string): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot bring the data set "${source}": there is nothing`,
    hint: "Check data.from; it is relative to the project folder",
  });
}

function notWhole(source: string, odd: { readonly path: string; readonly reason: string }) {
  return new GridError({
    code: "sync",
    message: `Cannot bring the data set "${source}": "${odd.path}": ${odd.reason}`,
    hint: "a data set is whole or not at all; mend it, or leave it out by exclude:",
  });
}
