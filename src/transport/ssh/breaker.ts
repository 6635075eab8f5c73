/** Spares a node, and whoever waits for it, connection after connection that cannot work. */
import { retryDelay } from "../../core/backoff.ts";

export interface BreakerOptions {
  /** Milliseconds; only differences count. */
  readonly now: () => number;
}

/** A second at first, because a node that restarts is soon back. */
const COOL_DOWN = {
  delayMs: 1000,
  maxDelayMs: 30_000,
  backoff: "exponential",
  jitter: "none",
} as const;

/** Closed until an attempt fails; then open for a while that doubles with each further failure. */
export class Breaker {
  readonly #now: () => number;
  #failures = 0;
  #open: { readonly until: number; readonly reason: unknown } | undefined;

  constructor({ now }: BreakerOptions) {
    this.#now = now;
  }

  /** Runs the attempt, or throws at once what the last one threw. */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open && this.#now() < this.#open.until) throw this.#open.reason;
    try {
      const result = await work();
      this.#failures = 0;
      this.#open = undefined;
      return result;
    } catch (reason) {
      this.#failures++;
      const wait = retryDelay(COOL_DOWN, { retry: this.#failures, random: () => 1 });
      this.#open = { until: this.#now() + wait, reason };
      throw reason;
    }
  }
}
