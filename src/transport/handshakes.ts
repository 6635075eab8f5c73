/** Handshakes under way at once, whichever way nodes are reached, and another try for those turned away. */
import pLimit from "npm:p-limit@7.3.3";
import { retryDelay } from "../core/backoff.ts";
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import type { Endpoint } from "./transport.ts";

const log = getLogger("transport");

/**
 * A handshake of which nothing was heard for so long goes on without its slot: machines that are down
 * must not keep those that are up waiting. An answer over a slow link takes less.
 */
const SILENCE_MS = 500;

/** Short, because a server that turns a crowd away has room again after one handshake. */
const RETRY = { delayMs: 250, maxDelayMs: 5000, backoff: "exponential", jitter: "full" } as const;

export interface AttemptOptions<T> {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  readonly connect: Shake<T>;
  /** Whether the error is one of a server that was busy: turned away, or cut off among many. */
  readonly mayPass: (error: GridError) => boolean;
}

/** Calls `heard` at each sign of life of the other side. */
export type Shake<T> = (heard: () => void) => Promise<T>;

export class Handshakes {
  readonly #limit: ReturnType<typeof pLimit>;

  constructor(atOnce: number) {
    this.#limit = pLimit(atOnce);
  }

  /** Waits its turn. */
  run<T>(work: Shake<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    void this.#limit(async () => {
      using silence = new Silence(SILENCE_MS);
      const result = work(() => silence.end());
      result.then(resolve, reject);
      await Promise.race([result.catch(() => {}), silence.tooLong]);
    });
    return promise;
  }

  /** Tries again as often as the endpoint allows. @throws {GridError} the last try's */
  async attempt<T>({ endpoint, signal, connect, mayPass }: AttemptOptions<T>): Promise<T> {
    for (let retry = 1;; retry++) {
      try {
        return await this.run(connect);
      } catch (error) {
        const isOver = retry > endpoint.maxRetries || !(error instanceof GridError);
        if (isOver || !mayPass(error)) throw error;
        const wait = retryDelay(RETRY, { retry, random: Math.random });
        log.debug("{node}: {problem}; trying again in {wait} ms", {
          node: endpoint.name,
          problem: error.message,
          wait,
        });
        await systemClock.sleep(wait, { signal });
      }
    }
  }
}

/** Tells when nothing was heard for a while. */
class Silence implements Disposable {
  readonly tooLong: Promise<void>;
  readonly #begin: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.tooLong = promise;
    this.#begin = () => this.#timer = setTimeout(resolve, ms);
    this.#begin();
  }

  /** Something was heard; the next silence begins. */
  end(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#begin();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
