/**
 * Finds in a file here what a file there already holds, block by block (Tridgell's rsync algorithm: a weak
 * sum that can be rolled along byte by byte, and a strong one where it agrees).
 */
import { hash } from "node:crypto";
import type { Turns } from "../core/turns.ts";

/** A file on a node, as blocks of one size; what is left at its end is in none. */
export interface BlockSums {
  readonly blockBytes: number;
  /** Adler-32 (RFC 1950) of each block. */
  readonly weak: Uint32Array;
  /** The first 16 bytes of each block's SHA-256, one after the other. */
  readonly strong: Uint8Array;
}

/** What the file here consists of. */
export type Piece =
  /** Whole blocks of the file there. */
  | { readonly kind: "copy"; readonly block: number; readonly count: number }
  /** Bytes of the file here. */
  | { readonly kind: "data"; readonly at: number; readonly bytes: number };

export interface MatchInput {
  readonly size: number;
  /** Fills the buffer from this place of the file here. */
  readonly read: (into: Uint8Array, at: number) => void;
  readonly sums: BlockSums;
  /** Of the work that this is part of. */
  readonly turns: Turns;
}

export const STRONG_BYTES = 16;
const ADLER = 65_521;
const WINDOW_BYTES = 4 * 2 ** 20;
/** Many more than blocks, and no more than a processor has at hand. */
const KEYS = 2 ** 20;

/** In order; together they are the whole file. Gives the rest of the program a turn now and then. */
export async function matchBlocks(input: MatchInput): Promise<Piece[]> {
  const matcher = new Matcher(input);
  while (matcher.window()) await input.turns.next();
  return matcher.pieces;
}

class Matcher {
  readonly pieces: Piece[] = [];
  readonly #input: MatchInput;
  readonly #buffer: Uint8Array;
  readonly #blocks = new Map<number, number[]>();
  /** Which of these keys some block has: nearly all places of a file are told by it to hold none. */
  readonly #keys = new Uint8Array(KEYS);
  /** How much a byte that leaves takes from the sum of sums. */
  readonly #drops: Int32Array;
  /** Place in the file of what is not matched yet. */
  #from = 0;
  #at = 0;
  /** The block that would follow the last one matched. */
  #next = 0;

  constructor(input: MatchInput) {
    this.#input = input;
    const { weak, blockBytes } = input.sums;
    this.#buffer = new Uint8Array(Math.max(WINDOW_BYTES, 4 * blockBytes));
    this.#drops = Int32Array.from({ length: 256 }, (_, byte) => blockBytes * byte % ADLER);
    weak.forEach((sum, block) => {
      this.#keys[keyOf(sum & 0xffff, sum >>> 16)] = 1;
      const same = this.#blocks.get(sum);
      // Of what repeats without end the first ones are enough.
      if (same === undefined) this.#blocks.set(sum, [block]);
      else if (same.length < 8) same.push(block);
    });
  }

  /** Looks at one window of the file; false at its end. */
  window(): boolean {
    const { size, sums: { blockBytes } } = this.#input;
    const start = this.#at;
    const bytes = this.#buffer.subarray(0, Math.min(this.#buffer.length, size - start));
    this.#input.read(bytes, start);
    let at = 0;
    while (at + blockBytes <= bytes.length) {
      const block = this.#find(bytes, at, weakSum(bytes, at, blockBytes));
      if (block !== undefined) {
        at = this.#take(block, { start, at });
        continue;
      }
      const found = this.#roll(bytes, at);
      at = found.at;
      if (found.block === undefined) break;
      at = this.#take(found.block, { start, at });
    }
    this.#at = start + at;
    if (start + bytes.length < size) return true;
    this.#data(size);
    return false;
  }

  /** The next place in the window where a block lies. */
  #roll(bytes: Uint8Array, from: number): { at: number; block: number | undefined } {
    const { blockBytes } = this.#input.sums;
    const sum = weakSum(bytes, from, blockBytes);
    let low = sum & 0xffff;
    let high = sum >>> 16;
    const keys = this.#keys;
    const drops = this.#drops;
    let at = from;
    while (at + blockBytes < bytes.length) {
      // For each byte of the file, so without a division, and mostly without a look into the map.
      const out = bytes[at]!;
      low += bytes[at + blockBytes]! - out;
      if (low < 0) low += ADLER;
      else if (low >= ADLER) low -= ADLER;
      high += low - 1 - drops[out]!;
      if (high < 0) high += ADLER;
      else if (high >= ADLER) high -= ADLER;
      at++;
      if (keys[keyOf(low, high)] === 0) continue;
      const block = this.#find(bytes, at, (high * 65_536 + low) >>> 0);
      if (block !== undefined) return { at, block };
    }
    // One byte further than the last place that was looked at.
    return { at: at + 1, block: undefined };
  }

  #find(bytes: Uint8Array, at: number, sum: number): number | undefined {
    const candidates = this.#blocks.get(sum);
    if (candidates === undefined) return undefined;
    const { blockBytes, strong } = this.#input.sums;
    const digest = hash("sha256", bytes.subarray(at, at + blockBytes), "buffer");
    const agrees = (block: number) =>
      digest.subarray(0, STRONG_BYTES).equals(
        strong.subarray(block * STRONG_BYTES, (block + 1) * STRONG_BYTES),
      );
    if (candidates.includes(this.#next) && agrees(this.#next)) return this.#next;
    return candidates.find(agrees);
  }

  #take(block: number, { start, at }: { start: number; at: number }): number {
    this.#data(start + at);
    const last = this.pieces.at(-1);
    if (last?.kind === "copy" && last.block + last.count === block) {
      this.pieces[this.pieces.length - 1] = { ...last, count: last.count + 1 };
    } else this.pieces.push({ kind: "copy", block, count: 1 });
    this.#next = block + 1;
    const { blockBytes } = this.#input.sums;
    this.#from = start + at + blockBytes;
    return at + blockBytes;
  }

  #data(to: number): void {
    if (to > this.#from) {
      this.pieces.push({ kind: "data", at: this.#from, bytes: to - this.#from });
    }
    this.#from = to;
  }
}

/** Of both halves of a weak sum. */
function keyOf(low: number, high: number): number {
  return (high << 4 ^ low) & (KEYS - 1);
}

export function weakSum(bytes: Uint8Array, from: number, count: number): number {
  let low = 1;
  let high = 0;
  // So many sums of bytes fit into what is exact.
  for (let at = from; at < from + count;) {
    const end = Math.min(at + 3800, from + count);
    for (; at < end; at++) {
      low += bytes[at]!;
      high += low;
    }
    low %= ADLER;
    high %= ADLER;
  }
  return (high * 65_536 + low) >>> 0;
}

/** Bytes that a list of blocks may take: of 256 GiB. */
export const MOST_SUM_BYTES = 16 * 2 ** 20;

/** As `apply.sh` tells them, file by file; undefined for what makes no sense. */
export function readBlockSums(bytes: Uint8Array, files: number): (BlockSums | undefined)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const each = 4 + STRONG_BYTES;
  let at = 0;
  return Array.from({ length: files }, () => {
    if (at + 16 > bytes.length) return undefined;
    const blockBytes = view.getUint32(at + 8);
    const count = view.getUint32(at + 12);
    const start = at + 16;
    at = start + count * each;
    if (at > bytes.length || !isBlockSize(blockBytes) || count === 0) return undefined;
    const weak = new Uint32Array(count);
    const strong = new Uint8Array(count * STRONG_BYTES);
    for (let block = 0; block < count; block++) {
      const place = start + block * each;
      weak[block] = view.getUint32(place);
      strong.set(bytes.subarray(place + 4, place + each), block * STRONG_BYTES);
    }
    return { blockBytes, weak, strong };
  });
}

function isBlockSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 2 ** 24;
}
