import { Fifo } from "../schedule/fifo.ts";

/** Hands values from whoever pushes them to one reader, in order, without a bound. */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #items = new Fifo<T>();
  #wake: (() => void) | undefined;
  #closed = false;

  push(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** No more values come; the reader ends once it has read them all. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      while (this.#items.size > 0) yield this.#items.shift() as T;
      if (this.#closed) return;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
  }
}
