/** The bytes of a job's input that may have to be sent once more: a ring, filled as fast as it is emptied. */

/** Bytes of the ring. Memory is taken up only as far as they were ever used. */
const RING_BYTES = 8 * 2 ** 20;

/** Positions are counted from the first byte of the input. */
export class InputRing {
  readonly #bytes = new Uint8Array(RING_BYTES);
  #from = 0;
  #end = 0;

  /** The first byte that is still here. */
  get from(): number {
    return this.#from;
  }

  /** Behind the last byte that has come. */
  get end(): number {
    return this.#end;
  }

  /** How many bytes can be put in now. */
  get room(): number {
    return RING_BYTES - (this.#end - this.#from);
  }

  /** No more than there is room for. */
  put(bytes: Uint8Array): void {
    const at = this.#end % RING_BYTES;
    const first = bytes.subarray(0, RING_BYTES - at);
    this.#bytes.set(first, at);
    this.#bytes.set(bytes.subarray(first.length), 0);
    this.#end += bytes.length;
  }

  /** What lies there from `at` on without a break, at most so much; valid until it is forgotten. */
  slice(at: number, most: number): Uint8Array {
    const start = at % RING_BYTES;
    const count = Math.min(this.#end - at, RING_BYTES - start, most);
    return this.#bytes.subarray(start, start + count);
  }

  /** Empty, and what is put in next lies at `at`. */
  restart(at: number): void {
    this.#from = this.#end = at;
  }

  /** What lies before `at` is not wanted any more. */
  forget(at: number): void {
    this.#from = Math.max(this.#from, at);
  }
}
