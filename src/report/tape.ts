/** Pieces of a file that come in any order, laid behind one another in theirs as soon as that is possible. */
export class Tape {
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;
  #count = 0;
  /** Those that wait for one before them. */
  readonly #early = new Map<number, Uint8Array>();

  /** The piece at this place, from 0; one that is laid already stays as it is. */
  add(at: number, piece: Uint8Array): void {
    if (at < this.#count) return;
    this.#early.set(at, piece);
    for (let next = this.#early.get(this.#count); next; next = this.#early.get(this.#count)) {
      this.#early.delete(this.#count++);
      this.#lay(next);
    }
  }

  /** Pieces that are laid: the first so many. */
  get count(): number {
    return this.#count;
  }

  /** Valid until the next piece comes. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A piece that is not laid yet. */
  early(at: number): Uint8Array | undefined {
    return this.#early.get(at);
  }

  #lay(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      wider.set(this.bytes);
      this.#bytes = wider;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }
}
