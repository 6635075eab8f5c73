/** Reads lines and counted bytes from a stream; nothing grows beyond what the caller allows. */
import { concatBytes } from "../core/bytes.ts";

/** Waits for one piece of the stream; gives up by throwing. */
export type Patience = <T>(piece: Promise<T>) => Promise<T>;

export class ByteReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #patience: Patience;
  /** Read, and not yet asked for; in order. */
  #waiting: Uint8Array[] = [];

  constructor(stream: ReadableStream<Uint8Array>, patience: Patience = (piece) => piece) {
    this.#reader = stream.getReader();
    this.#patience = patience;
  }

  /**
   * The next line without its end; undefined where the stream ended before one was complete.
   *
   * @throws what `tooLong` makes, once more than `most` bytes came without an end
   */
  async line(most: number, tooLong: () => Error): Promise<string | undefined> {
    const parts: Uint8Array[] = [];
    for (let length = 0;;) {
      const piece = await this.#next();
      if (piece === undefined) return undefined;
      const end = piece.indexOf(0x0a);
      const part = end < 0 ? piece : piece.subarray(0, end);
      length += part.length;
      if (length > most) throw tooLong();
      parts.push(part);
      if (end < 0) continue;
      this.#putBack(piece.subarray(end + 1));
      return new TextDecoder().decode(concatBytes(parts));
    }
  }

  /** Undefined where the stream ended before. The caller bounds `count`. */
  async bytes(count: number): Promise<Uint8Array | undefined> {
    // Memory is taken up as it is written, and never twice.
    const all = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const piece = await this.#next();
      if (piece === undefined) return undefined;
      const part = piece.subarray(0, count - at);
      all.set(part, at);
      at += part.length;
      this.#putBack(piece.subarray(part.length));
    }
    return all;
  }

  /** Everything up to the end, cut after `most` bytes. */
  async rest(most: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let room = most; room > 0;) {
      const piece = await this.#next();
      if (piece === undefined) break;
      parts.push(piece.subarray(0, room));
      room -= Math.min(room, piece.length);
    }
    return concatBytes(parts);
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    for (let next = await this.#next(); next !== undefined; next = await this.#next()) yield next;
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
    this.#reader.releaseLock();
  }

  #putBack(piece: Uint8Array): void {
    if (piece.length > 0) this.#waiting.unshift(piece);
  }

  async #next(): Promise<Uint8Array | undefined> {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting;
    for (;;) {
      const next = await this.#patience(this.#reader.read());
      if (next.done) return undefined;
      if (next.value.length > 0) return next.value;
    }
  }
}
