/** Lines of a log with the time when each began to come, in UTC: `2026-01-31T12:00:05Z `. */
import { concatBytes } from "../core/bytes.ts";

const NEWLINE = 0x0a;
/** Characters before each line. */
export const STAMP_LENGTH = "2026-01-31T12:00:05Z ".length;

export class StampedLines {
  readonly #timeAt: (offset: number) => number | undefined;
  #offset: number;
  #isOpen = false;

  /** @param offset of the first byte that comes */
  constructor(offset: number, timeAt: (offset: number) => number | undefined) {
    this.#offset = offset;
    this.#timeAt = timeAt;
  }

  push(bytes: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let from = 0; from < bytes.length;) {
      const end = bytes.indexOf(NEWLINE, from);
      const to = end < 0 ? bytes.length : end + 1;
      if (!this.#isOpen) parts.push(this.#stamp(this.#offset + from));
      parts.push(bytes.subarray(from, to));
      this.#isOpen = end < 0;
      from = to;
    }
    this.#offset += bytes.length;
    return concatBytes(parts);
  }

  #stamp(offset: number): Uint8Array {
    const at = this.#timeAt(offset);
    const words = at === undefined ? "" : `${new Date(at).toISOString().slice(0, 19)}Z`;
    return new TextEncoder().encode(words.padEnd(STAMP_LENGTH));
  }
}
