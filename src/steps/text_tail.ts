/** The last characters of a byte stream. */
export class TextTail {
  readonly #limit: number;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    // Cutting seldom keeps a long stream of short chunks cheap.
    if (this.#text.length > 2 * this.#limit) this.#text = this.#text.slice(-this.#limit);
  }

  end(): string {
    return (this.#text + this.#decoder.decode()).slice(-this.#limit);
  }
}
