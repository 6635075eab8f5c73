/**
 * Whether a hashed name of known_hosts is a certain name: HMAC-SHA1 under a salt of its own, for each of a
 * thousand lines, for each of a thousand nodes. What belongs to the salt alone is computed once, which
 * node:crypto cannot do; the same through it takes a minute of a processor.
 */
import { Buffer } from "node:buffer";

/** What is left of a block of 64 bytes beside its padding. */
const LONGEST_NAME = 55;
const BLOCK = 64;
const DIGEST = 20;
const [INNER, OUTER] = [0x36, 0x5c];
const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];

export class HashedName {
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;
  readonly #hash: Int32Array;

  private constructor(salt: Uint8Array, hash: Buffer) {
    this.#inner = keyed(salt, INNER);
    this.#outer = keyed(salt, OUTER);
    this.#hash = Int32Array.from({ length: 5 }, (_, word) => hash.readInt32BE(4 * word));
  }

  /** Undefined for anything but `|1|salt|hash`, both in base64, of a length that it can have. */
  static parse(pattern: string): HashedName | undefined {
    const [, version, salt = "", hash = ""] = pattern.split("|");
    const [key, digest] = [Buffer.from(salt, "base64"), Buffer.from(hash, "base64")];
    if (version !== "1" || key.length === 0 || key.length > BLOCK) return undefined;
    return digest.length === DIGEST ? new HashedName(key, digest) : undefined;
  }

  /** @param name what `nameBlock` made of it */
  is(name: Int32Array): boolean {
    state.set(this.#inner);
    mix(state, name);
    digest.set(state);
    state.set(this.#outer);
    mix(state, digest);
    for (let at = 0; at < 5; at++) if (state[at] !== this.#hash[at]) return false;
    return true;
  }
}

/** A name as the last block of a hash; undefined for one that is longer than names of hosts are here. */
export function nameBlock(name: string): Int32Array | undefined {
  const bytes = Buffer.from(name);
  if (bytes.length > LONGEST_NAME) return undefined;
  const block = Buffer.alloc(BLOCK);
  bytes.copy(block);
  block[bytes.length] = 0x80;
  block.writeUInt32BE((BLOCK + bytes.length) * 8, BLOCK - 4);
  return wordsOf(block);
}

function keyed(salt: Uint8Array, pad: number): Int32Array {
  const block = Buffer.alloc(BLOCK);
  block.set(salt);
  const state = Int32Array.from(START, (word) => word | 0);
  mix(state, wordsOf(block.map((byte) => byte ^ pad)));
  return state;
}

function wordsOf(block: Uint8Array): Int32Array {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  return Int32Array.from({ length: 16 }, (_, word) => view.getInt32(4 * word));
}

const schedule = new Int32Array(80);
const state = new Int32Array(5);
/** The inner hash as the last block of the outer one. */
const digest = new Int32Array(16);
digest[5] = 0x80000000 | 0;
digest[15] = (BLOCK + DIGEST) * 8;

/** SHA-1's compression of one block into the state (RFC 3174, section 6.1). */
function mix(state: Int32Array, block: Int32Array): void {
  const w = schedule;
  for (let t = 0; t < 16; t++) w[t] = block[t]!;
  for (let t = 16; t < 80; t++) w[t] = rotated(w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!, 1);
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!, e = state[4]!;
  // One loop per kind of round: what picks it inside costs more than the round.
  const round = (t: number, added: number) => {
    const next = (rotated(a, 5) + e + w[t]! + added) | 0;
    e = d;
    d = c;
    c = rotated(b, 30);
    b = a;
    a = next;
  };
  for (let t = 0; t < 20; t++) round(t, ((b & c) | (~b & d)) + 0x5a827999);
  for (let t = 20; t < 40; t++) round(t, (b ^ c ^ d) + 0x6ed9eba1);
  for (let t = 40; t < 60; t++) round(t, ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc);
  for (let t = 60; t < 80; t++) round(t, (b ^ c ^ d) + 0xca62c1d6);
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
