/**
 * Remembers the hash of every file by everything the file system tells about it, so that an unchanged
 * file is not read again.
 */
import { Buffer } from "node:buffer";
import { createHash, hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { writeCacheFile } from "./cache_file.ts";
import { comparePaths } from "./entry.ts";
import { inPieces } from "./manifest.ts";
import { changedAtMs, describeState, type FileState } from "./file_state.ts";

/** First of all, with its line end; the SHA-256 of everything before it in hex is last. */
const MAGIC = "grid-hash-cache 4\n";
const SUM_CHARS = 64;
/**
 * A file may change again within the same tick of its clock, unseen. Two seconds cover the coarsest
 * clock in use (FAT); git calls the same rule "racy": git-scm.com/docs/racy-git.
 */
export const GRANULE_MS = 2000;

export interface HashCache {
  /** The hash of an unchanged file. */
  get(path: string, state: FileState): string | undefined;
  set(path: string, state: FileState, hash: string): void;
  /** Writes what was set, and forgets every path that was neither asked for nor set. */
  save(): void;
}

export interface HashCacheOptions {
  readonly folder: string;
  /** Absolute source folder; every source has a file of its own. */
  readonly source: string;
  /** Milliseconds since the Unix epoch; now, unless a test says otherwise. */
  readonly nowMs?: number;
}

/** Where all is known already. */
export const NO_CACHE: HashCache = { get: () => undefined, set() {}, save() {} };

/** A cache that is missing or damaged starts empty. */
export function openHashCache(options: HashCacheOptions): HashCache {
  const name = hash("sha256", options.source).slice(0, 16);
  const file = join(options.folder, `hashes-${name}`);
  // Files are read after this moment, so a file older than this by more than the granule cannot
  // change any more without showing it.
  const trustedBeforeMs = (options.nowMs ?? systemClock.now()) - GRANULE_MS;
  const old = new Rows(load(file));
  const fresh = new Map<string, Known>();
  /** Rows of the old text that still hold. */
  const kept = new Set<string>();

  return {
    get(path, state) {
      const set = fresh.get(path);
      const row = set === undefined ? old.find(path) : rowOf(set);
      const start = `${describeState(state)}\0`;
      if (row === undefined || !row.startsWith(start)) return undefined;
      if (set === undefined) kept.add(path);
      return row.slice(start.length);
    },
    set(path, state, hash) {
      if (changedAtMs(state) < trustedBeforeMs) fresh.set(path, { state, hash });
    },
    save() {
      if (fresh.size === 0 && kept.size === old.size) return;
      const paths = [...fresh.keys()];
      for (const path of kept) if (!fresh.has(path)) paths.push(path);
      // They come in order mostly, and then there is nothing to do.
      paths.sort(comparePaths);
      const row = (path: string) => {
        const set = fresh.get(path);
        const known = set === undefined ? old.find(path) : rowOf(set);
        return known === undefined ? "" : `${path}\0${known}\0`;
      };
      writeCacheFile(file, withSum(inPieces(paths, row)));
    },
  };
}

/** Written out when it is saved: of many files the texts are long. */
interface Known {
  readonly state: FileState;
  readonly hash: string;
}

function rowOf({ state, hash }: Known): string {
  return `${describeState(state)}\0${hash}`;
}

/**
 * Path, state and hash, again and again, sorted by path. They are mostly asked for in that order, so a
 * place in the text serves as well as a table of all of them, which would take more than the text.
 */
class Rows {
  readonly #text: string;
  #size: number | undefined;
  /** Where the row begins that was looked at last, and what was looked for. */
  #at = 0;
  #asked = "";

  constructor(text: string) {
    this.#text = text;
  }

  get size(): number {
    if (this.#size === undefined) {
      let ends = 0;
      for (let at = this.#text.indexOf("\0"); at >= 0; at = this.#text.indexOf("\0", at + 1)) {
        ends++;
      }
      this.#size = Math.floor(ends / 3);
    }
    return this.#size;
  }

  /** State and hash of the path. */
  find(path: string): string | undefined {
    // No row before the last place can be that of a path behind the last one.
    if (comparePaths(this.#asked, path) >= 0) this.#at = 0;
    this.#asked = path;
    // Mostly it is just the next one.
    if (this.#text.startsWith(`${path}\0`, this.#at)) return this.#rowAt(this.#at, path);
    for (;;) {
      const here = this.#pathAt(this.#at);
      if (here === undefined) return undefined;
      const order = comparePaths(here, path);
      if (order > 0) return undefined;
      if (order === 0) return this.#rowAt(this.#at, path);
      const end = this.#endOf(this.#at);
      if (end < this.#at) return undefined; // a row that is none
      this.#at = end + 1;
    }
  }

  /** And the place after it. */
  #rowAt(at: number, path: string): string | undefined {
    const end = this.#endOf(at);
    if (end < at) return undefined; // a row that is none
    this.#at = end + 1;
    return this.#text.slice(at + path.length + 1, end);
  }

  #pathAt(at: number): string | undefined {
    return at < this.#text.length ? this.#text.slice(at, this.#text.indexOf("\0", at)) : undefined;
  }

  #endOf(at: number): number {
    const afterPath = this.#text.indexOf("\0", at);
    return this.#text.indexOf("\0", this.#text.indexOf("\0", afterPath + 1) + 1);
  }
}

/** The rows as they stand in the file. */
function load(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return "";
  }
  const end = bytes.length - SUM_CHARS;
  const isWhole = end >= MAGIC.length &&
    bytes.toString("latin1", end) === hash("sha256", bytes.subarray(0, end)) &&
    bytes.toString("utf8", 0, MAGIC.length) === MAGIC;
  return isWhole ? bytes.toString("utf8", MAGIC.length, end) : "";
}

/** The file, with its sum behind. */
function* withSum(pieces: Iterable<string>): Generator<Uint8Array> {
  const sum = createHash("sha256");
  const summed = (piece: string) => {
    const bytes = Buffer.from(piece);
    sum.update(bytes);
    return bytes;
  };
  yield summed(MAGIC);
  for (const piece of pieces) yield summed(piece);
  yield Buffer.from(sum.digest("hex"));
}
