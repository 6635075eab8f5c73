/**
 * For a node that is this machine: what it lacks is written straight into the folder that it moves things in
 * from, where an archive would have been unpacked otherwise.
 */
import { createHash, hash } from "node:crypto";
import { lutimesSync } from "node:fs";
import { Turns } from "../core/turns.ts";
import { mtimeSeconds } from "./file_state.ts";
import type { SourceEntry } from "./hash.ts";
import { type EntryWriter, modeOf, type Packed, type ReadOptions, takeEntries } from "./pack.ts";
import type { Pieces } from "./tar_writer.ts";

export interface StageOptions extends ReadOptions {
  /** What to throw where something cannot be written: nothing of the source's is to blame then. */
  readonly refused: (words: string) => Error;
  readonly signal: AbortSignal;
}

/** Bytes read and written at once. */
const PIECE_BYTES = 2 ** 18;

export class Stage {
  /** Absolute; the node's shell has just made it. */
  readonly #folder: string;
  readonly #options: StageOptions;

  constructor(folder: string, options: StageOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** @throws what `refused` gives, or the signal's reason */
  async entries(entries: readonly SourceEntry[]): Promise<Packed> {
    const writer = new StageWriter(`${this.#folder}/tree`, this.#options);
    const packed = await takeEntries(entries, { ...this.#options, writer });
    writer.end();
    return packed;
  }

  /** A list that goes with them. */
  text(path: string, text: string | Pieces): void {
    const pieces = typeof text === "string" ? [text] : text();
    const file = `${this.#folder}/${path}`;
    writing(path, this.#options, () => {
      Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      using output = Deno.openSync(file, { write: true, create: true, truncate: true });
      for (const piece of pieces) writeAll(output, encoder.encode(piece));
    });
  }
}

const encoder = new TextEncoder();

class StageWriter implements EntryWriter {
  readonly #folder: string;
  readonly #options: StageOptions;
  readonly #turns: Turns;
  readonly #made = new Set<string>();
  /** Get their times once everything is in them. */
  readonly #folders: SourceEntry[] = [];
  readonly #piece = new Uint8Array(PIECE_BYTES);
  readonly #isMasked = Deno.uid() === 0 && (Deno.umask() & 0o755) !== 0;

  constructor(folder: string, options: StageOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#turns = new Turns(options);
  }

  async other(entry: SourceEntry): Promise<void> {
    const { path, content, state } = entry;
    writing(path, this.#options, () => {
      if (entry.type === "folder") {
        this.#make(path);
        this.#folders.push(entry);
        return;
      }
      this.#makeAbove(path);
      Deno.symlinkSync(content, `${this.#folder}/${path}`);
      const time = mtimeSeconds(state);
      lutimesSync(`${this.#folder}/${path}`, time, time);
    });
    if (this.#turns.areDue) await this.#turns.next();
  }

  async file(entry: SourceEntry, read: (into: Uint8Array) => void): Promise<string> {
    const { path, size, state } = entry;
    const mode = modeOf(entry);
    using file = writing(path, this.#options, () => {
      this.#makeAbove(path);
      const options = { write: true, create: true, truncate: true, mode };
      const made = Deno.openSync(`${this.#folder}/${path}`, options);
      this.#widen(path, mode);
      return made;
    });
    const sum = size > PIECE_BYTES ? createHash("sha256") : undefined;
    for (let left = size; left > 0;) {
      const piece = this.#piece.subarray(0, Math.min(left, PIECE_BYTES));
      read(piece);
      sum?.update(piece);
      writing(path, this.#options, () => writeAll(file, piece));
      left -= piece.length;
      if (left > 0 && this.#turns.areDue) await this.#turns.next();
    }
    const time = mtimeSeconds(state);
    writing(path, this.#options, () => file.utimeSync(time, time));
    const digest = sum?.digest("hex") ?? hash("sha256", this.#piece.subarray(0, size));
    if (this.#turns.areDue) await this.#turns.next();
    return digest;
  }

  end(): void {
    for (const { path, state } of this.#folders) {
      const time = mtimeSeconds(state);
      writing(path, this.#options, () => Deno.utimeSync(`${this.#folder}/${path}`, time, time));
    }
  }

  /** As `tar` unpacks on other nodes: for root as it was packed, whatever the umask. */
  #widen(path: string, mode: number): void {
    if (this.#isMasked) Deno.chmodSync(`${this.#folder}/${path}`, mode);
  }

  #makeAbove(path: string): void {
    const slash = path.lastIndexOf("/");
    if (slash > 0) this.#make(path.slice(0, slash));
  }

  /** One by one: where the folder around them is gone, nothing takes its place. */
  #make(path: string): void {
    if (this.#made.has(path)) return;
    this.#makeAbove(path);
    Deno.mkdirSync(`${this.#folder}/${path}`, { mode: 0o755 });
    this.#widen(path, 0o755);
    this.#made.add(path);
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

function writing<T>(path: string, { refused }: StageOptions, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const words = error instanceof Error ? error.message.replace(/ \(os error.*$/s, "") : error;
    throw refused(`${path}: ${words}`);
  }
}
