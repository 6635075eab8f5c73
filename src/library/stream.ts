/** Values that come one by one, for any number of readers, each from the first on. */
export class Replay<T> implements AsyncIterable<T> {
  readonly #values: T[] = [];
  #more = Promise.withResolvers<void>();
  #over = false;
  #failure: { readonly error: unknown } | undefined;

  push(value: T): void {
    this.#values.push(value);
    this.#wake();
  }

  /** Readers get what was pushed, then the end, or the error. */
  end(failure?: { readonly error: unknown }): void {
    this.#over = true;
    this.#failure = failure;
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<T> {
    for (let at = 0;; at++) {
      while (at >= this.#values.length) {
        if (this.#failure !== undefined) throw this.#failure.error;
        if (this.#over) return;
        await this.#more.promise;
      }
      yield this.#values[at] as T;
    }
  }
}

/** Bytes that are kept for a reader who comes late. */
const KEPT_BYTES = 1024 * 1024;

/**
 * Chunks for one reader, who sets the pace: `push` resolves once the chunk was taken. Until somebody
 * reads nothing waits, and the newest megabyte is kept.
 */
export class Handover<T extends { readonly bytes: Uint8Array }> {
  readonly #queue: { readonly value: T; readonly taken: () => void }[] = [];
  #kept = 0;
  #more = Promise.withResolvers<void>();
  #over = false;
  #isRead = false;

  push(value: T): void | Promise<void> {
    if (this.#over) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    // The bytes are the producer's: it may write over them once this resolves.
    const own = this.#isRead ? value : { ...value, bytes: value.bytes.slice() };
    this.#queue.push({ value: own, taken: resolve });
    this.#kept += value.bytes.length;
    this.#wake();
    if (this.#isRead) return promise;
    while (this.#kept > KEPT_BYTES) this.#take();
  }

  end(): void {
    this.#over = true;
    this.#wake();
  }

  /** From its first value on, `push` waits. */
  async *read(): AsyncIterableIterator<T> {
    this.#isRead = true;
    try {
      for (;;) {
        const next = this.#queue[0];
        if (next !== undefined) {
          yield next.value;
          this.#take();
        } else if (this.#over) return;
        else await this.#more.promise;
      }
    } finally {
      this.#isRead = false;
      while (this.#queue.length > 0) this.#take();
    }
  }

  #take(): void {
    const first = this.#queue.shift();
    this.#kept -= first?.value.bytes.length ?? 0;
    first?.taken();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}
