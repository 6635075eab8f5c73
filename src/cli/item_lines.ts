/** Of the log of a batch, the lines that one task printed: those that begin with `[<task>] `. */
import { concatBytes } from "../core/bytes.ts";

const NEWLINE = 0x0a;

export class ItemLines {
  readonly #start: Uint8Array;
  readonly #skip: number;
  #rest: Uint8Array = new Uint8Array();

  /** @param skip bytes before each line that are none of it */
  constructor(item: number, skip = 0) {
    this.#skip = skip;
    this.#start = new TextEncoder().encode(`[${item}] `);
  }

  /** The task's lines that are complete by now, without the number. */
  push(bytes: Uint8Array): Uint8Array {
    const all = concatBytes([this.#rest, bytes]);
    const kept: Uint8Array[] = [];
    let from = 0;
    for (let end = all.indexOf(NEWLINE); end >= 0; end = all.indexOf(NEWLINE, from)) {
      const line = from + this.#skip;
      if (this.#start.every((byte, at) => all[line + at] === byte)) {
        kept.push(all.subarray(from, line), all.subarray(line + this.#start.length, end + 1));
      }
      from = end + 1;
    }
    this.#rest = all.slice(from);
    return concatBytes(kept);
  }
}
