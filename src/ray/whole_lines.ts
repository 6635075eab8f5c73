/** Hands on lines that are complete, so that two streams in one log do not cut into each other. */
import { concatBytes } from "../core/bytes.ts";

const NEWLINE = 10;

export class WholeLines {
  readonly #rest = new Map<string, Uint8Array>();

  /** All complete lines of the stream that have not been handed on. */
  push(stream: string, bytes: Uint8Array): Uint8Array {
    const held = this.#rest.get(stream);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#rest.set(stream, held ? concatBytes([held, bytes]) : bytes.slice());
      return new Uint8Array();
    }
    this.#rest.set(stream, bytes.slice(end));
    const whole = bytes.subarray(0, end);
    return held?.length ? concatBytes([held, whole]) : whole;
  }

  /** What the stream ended with. */
  end(stream: string): Uint8Array {
    const rest = this.#rest.get(stream) ?? new Uint8Array();
    this.#rest.delete(stream);
    return rest;
  }
}
