import type { Clock } from "../core/clock.ts";

/** Between two times: all rows for each answer would be a product. */
const TELL_MS = 100;

/** Tells what is new, the first time at once and then a few times each second; never the same again. */
export class Teller implements Disposable {
  readonly #clock: Clock;
  readonly #tell: () => void;
  readonly #ended = new AbortController();
  #toldAt = Number.NEGATIVE_INFINITY;
  #isWaiting = false;

  constructor(clock: Clock, tell: () => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Something is new. */
  tell(): void {
    if (this.#isWaiting || this.#ended.signal.aborted) return;
    const waitMs = this.#toldAt + TELL_MS - this.#clock.monotonic();
    if (waitMs <= 0) {
      this.#toldAt = this.#clock.monotonic();
      this.#tell();
      return;
    }
    this.#isWaiting = true;
    this.#clock.sleep(waitMs, { signal: this.#ended.signal }).then(() => {
      this.#isWaiting = false;
      this.tell();
    }, () => {
      // It has ended.
    });
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }
}
