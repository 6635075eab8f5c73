/**
 * The sum of a stream as POSIX's `cksum` tells it: a check against what breaks on the way, at a fiftieth of
 * the price of a hash. Nobody can meddle there: the connection is sealed, and files have hashes of
 * their own.
 *
 * Its CRC takes each byte from the other end than zlib's, which is at hand in native code; so zlib's is
 * fed with the bits of each byte turned round.
 *
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/cksum.html
 */
import { crc32 } from "node:zlib";

/** What zlib takes for a register of zeros. */
const START = 0xffff_ffff;

export class StreamSum {
  #crc = START;
  #bytes = 0;

  update(bytes: Uint8Array): this {
    this.#crc = crc32(turned(bytes), this.#crc);
    this.#bytes += bytes.length;
    return this;
  }

  /** To be gone on with on its own. */
  copy(): StreamSum {
    const copy = new StreamSum();
    copy.#crc = this.#crc;
    copy.#bytes = this.#bytes;
    return copy;
  }

  /** The two numbers that `cksum` prints of its input. */
  toString(): string {
    const length: number[] = [];
    for (let rest = this.#bytes; rest > 0; rest = Math.floor(rest / 256)) length.push(rest % 256);
    const crc = crc32(turned(Uint8Array.from(length)), this.#crc);
    return `${turnedWord(crc)} ${this.#bytes}`;
  }
}

let room = new Uint8Array();

/** Valid until the next call. */
function turned(bytes: Uint8Array): Uint8Array {
  const padded = Math.ceil(bytes.length / 4) * 4;
  if (room.length < padded) room = new Uint8Array(padded);
  room.set(bytes);
  const words = new Uint32Array(room.buffer, 0, padded / 4);
  for (let at = 0; at < words.length; at++) words[at] = turnedInBytes(words[at]!);
  return room.subarray(0, bytes.length);
}

function turnedInBytes(word: number): number {
  word = (word >>> 1 & 0x5555_5555) | (word & 0x5555_5555) << 1;
  word = (word >>> 2 & 0x3333_3333) | (word & 0x3333_3333) << 2;
  return (word >>> 4 & 0x0f0f_0f0f) | (word & 0x0f0f_0f0f) << 4;
}

function turnedWord(word: number): number {
  const bits = turnedInBytes(word);
  return (bits >>> 24 | bits >>> 8 & 0xff00 | (bits & 0xff00) << 8 | bits << 24) >>> 0;
}
