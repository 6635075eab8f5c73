/**
 * Cuts one command's output out of a stream that many commands, start-up files and background
 * processes write to: what stands between two random markers is the command's own.
 */
import { concatBytes } from "../../core/bytes.ts";

/** Starts every marker; seldom in text, so looking for it is quick. */
export const MARK = 0x1e;

/** Characters; an exit code has three. */
const LONGEST_TRAILER = 100;

export interface FrameOptions {
  /** Bytes that come just before the output. */
  readonly start: Uint8Array;
  /** Bytes that come just after it. */
  readonly end: Uint8Array;
  /** Bytes kept; more are counted and dropped. */
  readonly maxBytes: number;
}

export interface FrameOutput {
  readonly bytes: Uint8Array;
  readonly dropped: number;
  /** Between the end marker and the next `MARK`. */
  readonly trailer: string;
}

/** Collects the frame of one command from one stream. */
export class Frame {
  readonly #options: FrameOptions;
  #phase: "before" | "inside" | "trailer" | "done" = "before";
  /** Bytes that may be the beginning of the marker looked for. */
  #held: Uint8Array = new Uint8Array(0);
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #dropped = 0;
  #trailer = "";

  constructor(options: FrameOptions) {
    this.#options = options;
  }

  /** The start marker has come. */
  get begun(): boolean {
    return this.#phase !== "before";
  }

  get done(): boolean {
    return this.#phase === "done";
  }

  /** Bytes beyond the limit, so far. */
  get dropped(): number {
    return this.#dropped;
  }

  push(chunk: Uint8Array): void {
    let rest = this.#held.length === 0 ? chunk : concatBytes([this.#held, chunk]);
    this.#held = new Uint8Array(0);
    if (this.#phase === "before") {
      const at = find(rest, this.#options.start);
      if (!at.found) return this.#hold(rest, at.index);
      rest = rest.subarray(at.index + this.#options.start.length);
      this.#phase = "inside";
    }
    if (this.#phase === "inside") {
      const at = find(rest, this.#options.end);
      this.#keep(rest.subarray(0, at.index));
      if (!at.found) return this.#hold(rest, at.index);
      rest = rest.subarray(at.index + this.#options.end.length);
      this.#phase = "trailer";
    }
    if (this.#phase === "trailer") this.#readTrailer(rest);
  }

  output(): FrameOutput {
    return { bytes: concatBytes(this.#kept), dropped: this.#dropped, trailer: this.#trailer };
  }

  #hold(bytes: Uint8Array, from: number): void {
    this.#held = bytes.slice(from);
  }

  #keep(bytes: Uint8Array): void {
    const room = Math.max(0, this.#options.maxBytes - this.#keptBytes);
    const part = bytes.subarray(0, room);
    if (part.length > 0) this.#kept.push(part.slice());
    this.#keptBytes += part.length;
    this.#dropped += bytes.length - part.length;
  }

  #readTrailer(bytes: Uint8Array): void {
    const end = bytes.indexOf(MARK);
    const part = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
    this.#trailer = (this.#trailer + part).slice(0, LONGEST_TRAILER);
    if (end >= 0) this.#phase = "done";
  }
}

/** Where `needle` starts, or where a beginning of it stands at the very end. */
function find(bytes: Uint8Array, needle: Uint8Array): { index: number; found: boolean } {
  let at = bytes.indexOf(MARK);
  while (at >= 0) {
    const length = Math.min(needle.length, bytes.length - at);
    let same = 1;
    while (same < length && bytes[at + same] === needle[same]) same++;
    if (same === length) return { index: at, found: length === needle.length };
    at = bytes.indexOf(MARK, at + 1);
  }
  return { index: bytes.length, found: false };
}
