/** Which lines of a log are shown: those that hold a pattern, and of what is there the last ones. */
import type { Pattern } from "../core/pattern.ts";

export interface LineGateOptions {
  readonly grep: Pattern | undefined;
  /** Of what is there at the first look; what comes later is shown whole. */
  readonly tail: number | undefined;
  /** Bytes before each line that are none of it; default 0. */
  readonly skip?: number;
}

const NEWLINE = 0x0a;
const NOTHING = new Uint8Array();

/** Told of a log's bytes as they come; hands out whole lines, and at the end what has no end. */
export class LineGate {
  readonly #options: LineGateOptions;
  readonly #decoder = new TextDecoder();
  #open: Uint8Array = NOTHING;
  #held: Uint8Array[] = [];
  #isSettled: boolean;

  constructor(options: LineGateOptions) {
    this.#options = options;
    this.#isSettled = options.tail === undefined;
  }

  push(bytes: Uint8Array): Uint8Array {
    if (this.#isSettled && this.#options.grep === undefined) return bytes;
    const lines: Uint8Array[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      lines.push(joined([this.#open, bytes.subarray(from, at + 1)]));
      this.#open = NOTHING;
      from = at + 1;
    }
    this.#open = joined([this.#open, bytes.subarray(from)]);
    const kept = lines.filter((line) => this.#fits(line));
    if (this.#isSettled) return joined(kept);
    this.#held = [...this.#held, ...kept].slice(-(this.#options.tail ?? 0));
    return NOTHING;
  }

  /** All that is there now was told. */
  settle(): Uint8Array {
    if (this.#isSettled) return NOTHING;
    this.#isSettled = true;
    // A line without an end is the last one; it goes on with what comes.
    const last = this.#options.grep === undefined ? this.#open : NOTHING;
    if (this.#options.grep === undefined) this.#open = NOTHING;
    const tail = this.#options.tail ?? 0;
    const shown = last.length > 0 ? [...this.#held, last].slice(-tail) : this.#held;
    this.#held = [];
    return joined(shown);
  }

  end(): Uint8Array {
    const last = this.#open;
    this.#open = NOTHING;
    return last.length > 0 && this.#fits(last) ? last : NOTHING;
  }

  #fits(line: Uint8Array): boolean {
    const { grep, skip = 0 } = this.#options;
    return grep === undefined ||
      grep.test(this.#decoder.decode(line.subarray(skip)).replace(/\r?\n$/, ""));
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only, ...more] = parts.filter(({ length }) => length > 0);
  if (only === undefined) return NOTHING;
  // Copied: what is read next comes into the same memory.
  const all = new Uint8Array([only, ...more].reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of [only, ...more]) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
