/** Handshakes under way at once, whichever way nodes are reached, and another try for those turned away. */
import pLimit from "npm:p-limit@7.3.3";
import { retryDelay } from "../core/backoff.ts";
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import type { Endpoint } from "./transport.ts";

const log = getLogger("transport");

/** Short, because a server that turns a crowd away has room again after one handshake. */
const RETRY = { delayMs: 250, maxDelayMs: 5000, backoff: "exponential", jitter: "full" } as const;

export interface AttemptOptions<T> {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  readonly connect: () => Promise<T>;
  /** Whether the error is one of a server that was busy: turned away, or cut off among many. */
  readonly mayPass: (error: GridError) => boolean;
}

export class Handshakes {
  readonly #limit: ReturnType<typeof pLimit>;

  constructor(atOnce: number) {
    this.#limit = pLimit(atOnce);
  }

  /** Waits its turn. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#limit(work);
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
