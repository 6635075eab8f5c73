/**
 * SHA-256 of short words, as FIPS 180-4 has it. `node:crypto` computes it faster and takes 14 ms to load, a package
 * 3 ms: whoever has files to read takes `nodeCrypto()`.
 */

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;
const encoder = new TextEncoder();

/** The first 32 bits of the fractional parts of `root` of the first primes. */
function firstBits(count: number, root: (prime: number) => number): Uint32Array {
  const bits: number[] = [];
  for (let candidate = 2; bits.length < count; candidate++) {
    let divisor = 2;
    while (divisor * divisor <= candidate && candidate % divisor !== 0) divisor++;
    if (divisor * divisor > candidate) bits.push((root(candidate) % 1) * 2 ** 32);
  }
  return Uint32Array.from(bits);
}

const START = firstBits(8, Math.sqrt);
const ROUNDS = firstBits(64, Math.cbrt);

/** In hex. */
export function digestOf(text: string): string {
  const bytes = padded(encoder.encode(text));
  const state = START.slice();
  const words = new Uint32Array(ROUNDS.length);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.byteLength; at += BLOCK_BYTES) {
    fillWords(words, { view, at });
    mix(state, words);
  }
  return [...state].map((word) => word.toString(16).padStart(8, "0")).join("");
}

/** A one, zeros, and the length in bits end the last block. */
function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil((bytes.length + 1 + LENGTH_BYTES) / BLOCK_BYTES);
  const whole = new Uint8Array(blocks * BLOCK_BYTES);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  new DataView(whole.buffer).setBigUint64(whole.length - LENGTH_BYTES, BigInt(bytes.length) * 8n);
  return whole;
}

interface Block {
  readonly view: DataView;
  readonly at: number;
}

function fillWords(words: Uint32Array, block: Block): void {
  for (let at = 0; at < BLOCK_BYTES / 4; at++) words[at] = block.view.getUint32(block.at + 4 * at);
  for (let at = BLOCK_BYTES / 4; at < words.length; at++) {
    const old = words[at - 15]!;
    const young = words[at - 2]!;
    const ofOld = turned(old, 7) ^ turned(old, 18) ^ (old >>> 3);
    const ofYoung = turned(young, 17) ^ turned(young, 19) ^ (young >>> 10);
    words[at] = words[at - 16]! + ofOld + words[at - 7]! + ofYoung;
  }
}

function mix(state: Uint32Array, words: Uint32Array): void {
  let a = state[0]! | 0;
  let b = state[1]! | 0;
  let c = state[2]! | 0;
  let d = state[3]! | 0;
  let e = state[4]! | 0;
  let f = state[5]! | 0;
  let g = state[6]! | 0;
  let h = state[7]! | 0;
  for (let at = 0; at < words.length; at++) {
    const turnedE = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const chosen = (e & f) ^ (~e & g);
    const first = (h + turnedE + chosen + ROUNDS[at]! + words[at]!) | 0;
    const turnedA = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const most = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + turnedA + most) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}

function turned(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}
