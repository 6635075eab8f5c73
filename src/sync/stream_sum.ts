/**
 * The sum of a stream as POSIX's `cksum` tells it: a check against what breaks on the way, at a fiftieth of
 * the price of a hash. Nobody can meddle there: the connection is sealed, and files have hashes of
 * their own. The stream brings its own sum: four bytes near its end make the sum of all of it a number that
 * both sides know.
 *
 * Its CRC takes each byte from the other end than zlib's, which is at hand in native code; so zlib's is
 * fed with the bits of each byte turned round.
 *
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/cksum.html
 */
import { crc32 } from "node:zlib";

/** What zlib takes for a register of zeros. */
const START = 0xffff_ffff;
const POLYNOMIAL = 0x04c1_1db7;

/** What `cksum` says of every whole stream; `apply.sh` knows it too. */
export const SEALED = 1_735_551_332;
export const SEAL_BYTES = 4;

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

  /** The next bytes of a stream that then ends with so many zeros. */
  seal(zeros: number): Uint8Array {
    let word = (~SEALED) >>> 0;
    // Against the direction of the stream: before this byte the register was that.
    const back = (byte: number) => {
      const at = PLACES[word & 0xff]!;
      word = ((word ^ TABLE[at]!) >>> 8 | (at ^ byte) << 24) >>> 0;
    };
    const length = lengthBytes(this.#bytes + SEAL_BYTES + zeros);
    for (const byte of length.toReversed()) back(byte);
    for (let left = zeros + SEAL_BYTES; left > 0; left--) back(0);
    const seal = new Uint8Array(SEAL_BYTES);
    new DataView(seal.buffer).setUint32(0, word ^ ~turnedWord(this.#crc));
    return seal;
  }

  /** The two numbers that `cksum` prints of its input. */
  toString(): string {
    const crc = crc32(turned(Uint8Array.from(lengthBytes(this.#bytes))), this.#crc);
    return `${turnedWord(crc)} ${this.#bytes}`;
  }
}

/** As `cksum` takes it in behind the stream. */
function lengthBytes(length: number): number[] {
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  return bytes;
}

/** What a byte leaves in the register. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let word = byte << 24;
  for (let bit = 0; bit < 8; bit++) word = word < 0 ? word << 1 ^ POLYNOMIAL : word << 1;
  return word;
});

/** Which of them ends in this byte. */
const PLACES = new Uint8Array(256);
for (const [place, word] of TABLE.entries()) PLACES[word & 0xff] = place;

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
