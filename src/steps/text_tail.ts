/** The last characters of a byte stream: lines that are whole, where anything had to be left out. */
export class TextTail {
  readonly #limit: number;
  readonly #decoder = new TextDecoder();
  #text = "";
  #isCut = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    // Cutting seldom keeps a long stream of short chunks cheap.
    if (this.#text.length > 2 * this.#limit) this.#cut();
  }

  end(): string {
    this.#text += this.#decoder.decode();
    if (this.#text.length > this.#limit) this.#cut();
    if (!this.#isCut) return this.#text;
    // The first line has lost its beginning: what is read out of it may be half a value.
    const start = this.#text.indexOf("\n") + 1;
    return start === 0 ? "" : this.#text.slice(start);
  }

  #cut(): void {
    this.#isCut = true;
    this.#text = this.#text.slice(-this.#limit);
  }
}
