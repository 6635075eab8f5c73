/**
 * Of the log of a batch, the lines that one task printed: those that begin with `[<task>] `; of a step on many
 * nodes those of one rank: `[<rank> <node>] `.
 */
import { concatBytes } from "../core/bytes.ts";

const NEWLINE = 0x0a;
const BRACKET = 0x5d;

export type Teller = { readonly item: number } | { readonly rank: number };

export class ItemLines {
  readonly #start: Uint8Array;
  /** Behind the start, up to the bracket, stands more. */
  readonly #isLong: boolean;
  readonly #skip: number;
  #rest: Uint8Array = new Uint8Array();

  /** @param skip bytes before each line that are none of it */
  constructor(teller: Teller, skip = 0) {
    this.#skip = skip;
    this.#isLong = "rank" in teller;
    const start = "rank" in teller ? `[${teller.rank} ` : `[${teller.item}] `;
    this.#start = new TextEncoder().encode(start);
  }

  /** The lines that are complete by now, without what tells whose they are. */
  push(bytes: Uint8Array): Uint8Array {
    const all = concatBytes([this.#rest, bytes]);
    const kept: Uint8Array[] = [];
    let from = 0;
    for (let end = all.indexOf(NEWLINE); end >= 0; end = all.indexOf(NEWLINE, from)) {
      const line = from + this.#skip;
      if (this.#start.every((byte, at) => all[line + at] === byte)) {
        const text = line + this.#start.length;
        const begin = this.#isLong ? all.indexOf(BRACKET, text) + 2 : text;
        kept.push(all.subarray(from, line), all.subarray(begin, end + 1));
      }
      from = end + 1;
    }
    this.#rest = all.slice(from);
    return concatBytes(kept);
  }
}
