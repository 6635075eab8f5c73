/** What the ranks of a gang print, told apart: whole lines, each with the rank and its node. */

/** A line without an end is handed on in pieces of so many bytes. */
const LONGEST_LINE = 64 * 1024;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/** One stream of one rank. */
export class RankLines {
  readonly #prefix: Uint8Array;
  readonly #write: (bytes: Uint8Array) => void | Promise<void>;
  /** What has no end yet. */
  #rest = new Uint8Array();

  constructor(prefix: string, write: (bytes: Uint8Array) => void | Promise<void>) {
    this.#prefix = new TextEncoder().encode(prefix);
    this.#write = write;
  }

  async push(bytes: Uint8Array): Promise<void> {
    const all = joined([this.#rest, bytes]);
    const parts: Uint8Array[] = [];
    let from = 0;
    for (let at = 0; at < all.length; at++) {
      // A bar that is drawn over and over ends its lines with this alone; before a line feed it is part of it.
      const isReturn = all[at] === RETURN && at + 1 < all.length && all[at + 1] !== LINE_FEED;
      const isEnd = all[at] === LINE_FEED || isReturn || at + 1 - from >= LONGEST_LINE;
      if (!isEnd) continue;
      parts.push(this.#prefix, all.subarray(from, at + 1));
      from = at + 1;
    }
    this.#rest = all.slice(from);
    if (parts.length > 0) await this.#write(joined(parts));
  }

  /** Nothing more comes. */
  async end(): Promise<void> {
    const rest = this.#rest;
    this.#rest = new Uint8Array();
    if (rest.length > 0) await this.#write(joined([this.#prefix, rest, Uint8Array.of(LINE_FEED)]));
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
