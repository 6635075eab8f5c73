/**
 * ChaCha20 (RFC 8439, section 2.4) for packets of a few hundred bytes, as most are: the native cipher is quicker
 * by the byte, but to make one takes longer than to encrypt a short packet here. Only additions, rotations and
 * exclusive ors of whole words: how long it takes says nothing of key or text.
 */
import { Buffer } from "node:buffer";

/** "expand 32-byte k" */
const [C0, C1, C2, C3] = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as [
  number,
  number,
  number,
  number,
];
const BLOCK = 64;
const key = new Int32Array(8);
const nonce = new Int32Array(4);
const out = new Int32Array(16);
/** Deno runs on little endian machines only. */
const stream = new Uint8Array(out.buffer);

/**
 * Encrypts and decrypts alike.
 *
 * @param secret 32 bytes
 * @param iv the counter of the first block, 4 bytes little endian, and 12 bytes nonce
 */
export function chacha20(secret: Uint8Array, iv: Uint8Array, data: Uint8Array): Buffer {
  for (let at = 0; at < 8; at++) key[at] = word(secret, 4 * at);
  for (let at = 0; at < 4; at++) nonce[at] = word(iv, 4 * at);
  // Not of the pool: whoever gets what was decrypted may hand its memory on.
  const result = Buffer.allocUnsafeSlow(data.length);
  for (let from = 0; from < data.length; from += BLOCK) {
    nextBlock();
    const length = Math.min(BLOCK, data.length - from);
    for (let at = 0; at < length; at++) result[from + at] = data[from + at]! ^ stream[at]!;
    nonce[0] = nonce[0]! + 1;
  }
  key.fill(0);
  out.fill(0);
  return result;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
}

/** Written out, because a call per quarter of a round would take several times as long. */
function nextBlock(): void {
  let a0 = C0, a1 = C1, a2 = C2, a3 = C3;
  let b0 = key[0]!, b1 = key[1]!, b2 = key[2]!, b3 = key[3]!;
  let c0 = key[4]!, c1 = key[5]!, c2 = key[6]!, c3 = key[7]!;
  let d0 = nonce[0]!, d1 = nonce[1]!, d2 = nonce[2]!, d3 = nonce[3]!;
  for (let round = 0; round < 20; round += 2) {
    a0 = a0 + b0 | 0;
    d0 ^= a0;
    d0 = d0 << 16 | d0 >>> 16;
    c0 = c0 + d0 | 0;
    b0 ^= c0;
    b0 = b0 << 12 | b0 >>> 20;
    a0 = a0 + b0 | 0;
    d0 ^= a0;
    d0 = d0 << 8 | d0 >>> 24;
    c0 = c0 + d0 | 0;
    b0 ^= c0;
    b0 = b0 << 7 | b0 >>> 25;
    a1 = a1 + b1 | 0;
    d1 ^= a1;
    d1 = d1 << 16 | d1 >>> 16;
    c1 = c1 + d1 | 0;
    b1 ^= c1;
    b1 = b1 << 12 | b1 >>> 20;
    a1 = a1 + b1 | 0;
    d1 ^= a1;
    d1 = d1 << 8 | d1 >>> 24;
    c1 = c1 + d1 | 0;
    b1 ^= c1;
    b1 = b1 << 7 | b1 >>> 25;
    a2 = a2 + b2 | 0;
    d2 ^= a2;
    d2 = d2 << 16 | d2 >>> 16;
    c2 = c2 + d2 | 0;
    b2 ^= c2;
    b2 = b2 << 12 | b2 >>> 20;
    a2 = a2 + b2 | 0;
    d2 ^= a2;
    d2 = d2 << 8 | d2 >>> 24;
    c2 = c2 + d2 | 0;
    b2 ^= c2;
    b2 = b2 << 7 | b2 >>> 25;
    a3 = a3 + b3 | 0;
    d3 ^= a3;
    d3 = d3 << 16 | d3 >>> 16;
    c3 = c3 + d3 | 0;
    b3 ^= c3;
    b3 = b3 << 12 | b3 >>> 20;
    a3 = a3 + b3 | 0;
    d3 ^= a3;
    d3 = d3 << 8 | d3 >>> 24;
    c3 = c3 + d3 | 0;
    b3 ^= c3;
    b3 = b3 << 7 | b3 >>> 25;
    a0 = a0 + b1 | 0;
    d3 ^= a0;
    d3 = d3 << 16 | d3 >>> 16;
    c2 = c2 + d3 | 0;
    b1 ^= c2;
    b1 = b1 << 12 | b1 >>> 20;
    a0 = a0 + b1 | 0;
    d3 ^= a0;
    d3 = d3 << 8 | d3 >>> 24;
    c2 = c2 + d3 | 0;
    b1 ^= c2;
    b1 = b1 << 7 | b1 >>> 25;
    a1 = a1 + b2 | 0;
    d0 ^= a1;
    d0 = d0 << 16 | d0 >>> 16;
    c3 = c3 + d0 | 0;
    b2 ^= c3;
    b2 = b2 << 12 | b2 >>> 20;
    a1 = a1 + b2 | 0;
    d0 ^= a1;
    d0 = d0 << 8 | d0 >>> 24;
    c3 = c3 + d0 | 0;
    b2 ^= c3;
    b2 = b2 << 7 | b2 >>> 25;
    a2 = a2 + b3 | 0;
    d1 ^= a2;
    d1 = d1 << 16 | d1 >>> 16;
    c0 = c0 + d1 | 0;
    b3 ^= c0;
    b3 = b3 << 12 | b3 >>> 20;
    a2 = a2 + b3 | 0;
    d1 ^= a2;
    d1 = d1 << 8 | d1 >>> 24;
    c0 = c0 + d1 | 0;
    b3 ^= c0;
    b3 = b3 << 7 | b3 >>> 25;
    a3 = a3 + b0 | 0;
    d2 ^= a3;
    d2 = d2 << 16 | d2 >>> 16;
    c1 = c1 + d2 | 0;
    b0 ^= c1;
    b0 = b0 << 12 | b0 >>> 20;
    a3 = a3 + b0 | 0;
    d2 ^= a3;
    d2 = d2 << 8 | d2 >>> 24;
    c1 = c1 + d2 | 0;
    b0 ^= c1;
    b0 = b0 << 7 | b0 >>> 25;
  }
  out[0] = a0 + C0;
  out[1] = a1 + C1;
  out[2] = a2 + C2;
  out[3] = a3 + C3;
  out[4] = b0 + key[0]!;
  out[5] = b1 + key[1]!;
  out[6] = b2 + key[2]!;
  out[7] = b3 + key[3]!;
  out[8] = c0 + key[4]!;
  out[9] = c1 + key[5]!;
  out[10] = c2 + key[6]!;
  out[11] = c3 + key[7]!;
  out[12] = d0 + nonce[0]!;
  out[13] = d1 + nonce[1]!;
  out[14] = d2 + nonce[2]!;
  out[15] = d3 + nonce[3]!;
}
