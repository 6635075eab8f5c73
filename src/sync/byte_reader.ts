/** Reads lines and counted bytes from a stream. */
export class ByteReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #buffer = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** The next line without its end; undefined where the stream ended before one was complete. */
  async line(): Promise<string | undefined> {
    for (let from = 0;;) {
      const end = this.#buffer.indexOf(0x0a, from);
      if (end >= 0) return new TextDecoder().decode(this.#take(end + 1).subarray(0, -1));
      from = this.#buffer.length;
      if (!await this.#fill()) return undefined;
    }
  }

  /** Undefined where the stream ended before. */
  async bytes(count: number): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    let missing = count;
    while (missing > 0) {
      if (this.#buffer.length === 0 && !await this.#fill()) return undefined;
      const part = this.#take(Math.min(missing, this.#buffer.length));
      parts.push(part);
      missing -= part.length;
    }
    return joinBytes(parts, count);
  }

  /** Everything up to the end, cut after `most` bytes. */
  async rest(most: number): Promise<Uint8Array> {
    while (this.#buffer.length < most && await this.#fill());
    return this.#take(Math.min(most, this.#buffer.length));
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    if (this.#buffer.length > 0) yield this.#take(this.#buffer.length);
    for (let next = await this.#reader.read(); !next.done; next = await this.#reader.read()) {
      yield next.value;
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
    this.#reader.releaseLock();
  }

  #take(count: number): Uint8Array {
    const part = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return part;
  }

  async #fill(): Promise<boolean> {
    const next = await this.#reader.read();
    if (next.done) return false;
    this.#buffer = this.#buffer.length === 0
      ? next.value as Uint8Array<ArrayBuffer>
      : joinBytes([this.#buffer, next.value], this.#buffer.length + next.value.length);
    return true;
  }
}

function joinBytes(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
