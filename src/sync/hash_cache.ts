/**
 * Remembers the hash of every file by everything the file system tells about it, so that an unchanged
 * file is not read again.
 *
 * The file holds path, state and hash of each, ended by NUL, sorted by path. Whoever asks comes in that
 * order too, so that it is read and written piece by piece: of many files all of it is long.
 */
import { Buffer } from "node:buffer";
import { createHash, hash } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { writeCacheFile } from "./cache_file.ts";
import { comparePaths } from "./entry.ts";
import { changedAtMs, describeState, GRANULE_MS } from "./file_state.ts";
import type { SourceEntry } from "./hash.ts";
import { inPieces } from "./manifest.ts";

/** First of all, with its line end; the SHA-256 of everything before it in hex is last. */
const MAGIC = "grid-hash-cache 4\n";
const SUM_BYTES = 64;
const PIECE_BYTES = 2 ** 18;
const KNOWN = 1;
const DOUBTED = 2;
export interface HashCacheOptions {
  readonly folder: string;
  /** Absolute source folder; every source has a file of its own. */
  readonly source: string;
  /** Milliseconds since the Unix epoch; now, unless a test says otherwise. */
  readonly nowMs?: number;
}

/** The hashes of the files of one look at a source. */
export class HashCache {
  readonly #file: string;
  /**
   * Files are read after this moment, so a file older than this by more than the granule cannot
   * change any more without showing it.
   */
  readonly #trustedBeforeMs: number;
  readonly #entries: readonly SourceEntry[];
  /** Which of the entries were known, or turned out to be other than they were known. */
  readonly #facts: Uint8Array;
  /** In the file. */
  #rows = 0;

  /**
   * Entries whose file is as it was get their `content`. One that is missing or damaged knows none.
   *
   * @param entries sorted by path, without contents of files
   */
  constructor(entries: readonly SourceEntry[], options: HashCacheOptions) {
    this.#file = join(options.folder, `hashes-${hash("sha256", options.source).slice(0, 16)}`);
    this.#trustedBeforeMs = (options.nowMs ?? systemClock.now()) - GRANULE_MS;
    this.#entries = entries;
    this.#facts = new Uint8Array(entries.length);
    if (this.#isRecalled()) return;
    for (const [at, entry] of entries.entries()) if (this.#facts[at] === KNOWN) entry.content = "";
    this.#facts.fill(0);
    this.#rows = 0;
  }

  /** What was known of this one, or read since, does not hold. */
  doubt(place: number): void {
    this.#facts[place] = DOUBTED;
  }

  /** Writes what the entries hold by now, and forgets all else. */
  save(): void {
    let kept = 0;
    let known = 0;
    for (let at = 0; at < this.#entries.length; at++) {
      if (!this.#isCertain(at)) continue;
      kept++;
      if (this.#facts[at] === KNOWN) known++;
    }
    if (kept === known && known === this.#rows) return;
    const certain = this.#entries.filter((_, at) => this.#isCertain(at));
    const rows = inPieces(
      certain,
      ({ path, state, content }) => `${path}\0${describeState(state)}\0${content}\0`,
    );
    writeCacheFile(this.#file, withSum(rows));
  }

  #isCertain(at: number): boolean {
    const { type, content, state } = this.#entries[at]!;
    const fact = this.#facts[at];
    return type === "file" && content !== "" && fact !== DOUBTED &&
      (fact === KNOWN || changedAtMs(state) < this.#trustedBeforeMs);
  }

  /** False where what is kept is damaged or cannot be read, whatever was taken of it. */
  #isRecalled(): boolean {
    try {
      using file = Deno.openSync(this.#file);
      return this.#recall(file);
    } catch (error) {
      return error instanceof Deno.errors.NotFound;
    }
  }

  #recall(file: Deno.FsFile): boolean {
    const sum = createHash("sha256");
    let left = file.statSync().size - SUM_BYTES;
    const magic = readBytes(file, Math.min(MAGIC.length, left));
    if (magic?.toString("latin1") !== MAGIC) return false;
    sum.update(magic);
    left -= magic.length;
    let rest: Buffer = Buffer.alloc(0);
    for (let from = 0; left > 0;) {
      const piece = readBytes(file, Math.min(PIECE_BYTES, left));
      if (piece === undefined) return false;
      sum.update(piece);
      left -= piece.length;
      const rows = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      const taken = this.#take(rows, from);
      from = taken.from;
      rest = rows.subarray(taken.at);
    }
    return rest.length === 0 &&
      readBytes(file, SUM_BYTES)?.toString("latin1") === sum.digest("hex");
  }

  /** The rows that are whole. @param from place of the first entry that may be one of them */
  #take(rows: Buffer, from: number): { readonly at: number; readonly from: number } {
    const entries = this.#entries;
    for (let at = 0;;) {
      const afterPath = rows.indexOf(0, at);
      const afterState = afterPath < 0 ? -1 : rows.indexOf(0, afterPath + 1);
      const end = afterState < 0 ? -1 : rows.indexOf(0, afterState + 1);
      if (end < 0) return { at, from };
      this.#rows++;
      const path = rows.toString("utf8", at, afterPath);
      while (from < entries.length && comparePaths(entries[from]!.path, path) < 0) from++;
      const entry = entries[from];
      if (
        entry?.type === "file" && entry.path === path &&
        rows.toString("latin1", afterPath + 1, afterState) === describeState(entry.state)
      ) {
        entry.content = rows.toString("latin1", afterState + 1, end);
        this.#facts[from] = KNOWN;
      }
      at = end + 1;
    }
  }
}

/** Undefined where the file ends before. */
function readBytes(file: Deno.FsFile, count: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, count));
  for (let at = 0; at < bytes.length;) {
    const read = file.readSync(bytes.subarray(at));
    if (read === null) return undefined;
    at += read;
  }
  return bytes;
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
