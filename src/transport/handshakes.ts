/** Handshakes under way at once, whichever way nodes are reached, and another try for those turned away. */
import { retryDelay } from "../core/backoff.ts";
import { monotonic, systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import { LONGEST_MS, Pace, Silence } from "./silence.ts";
import type { Endpoint } from "./transport.ts";

const log = getLogger("transport");

/** Short, because a server that turns a crowd away has room again after one handshake. */
const RETRY = { delayMs: 250, maxDelayMs: 5000, backoff: "exponential", jitter: "full" } as const;

/** Calls `heard` at each sign of life of the other side. */
export type Shake<T> = (heard: () => void) => Promise<T>;

/** Waits for its turn; has one; or has heard nothing for long. */
export type ShakeState = "queued" | "working" | "silent";

export interface RunOptions {
  readonly onState?: ((state: ShakeState) => void) | undefined;
  /** Tells nothing of the other side before it is done: a program that shakes hands for us. */
  readonly isMute?: boolean;
}

export interface AttemptOptions<T> extends RunOptions {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  readonly connect: Shake<T>;
  /** Whether the error is one of a server that was busy: turned away, or cut off among many. */
  readonly mayPass: (error: GridError) => boolean;
}

/**
 * As many as may work at once. Whoever hears nothing works no more, and gives its slot to the next; it
 * goes on, and has a slot again as soon as it hears something. So machines that are down keep none waiting
 * that are up, and nobody is given up for being slow.
 */
export class Handshakes {
  readonly #atOnce: number;
  readonly #waiting: (() => void)[] = [];
  readonly #pace = new Pace();
  #working = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Waits its turn. */
  async run<T>(work: Shake<T>, { onState, isMute = false }: RunOptions = {}): Promise<T> {
    await this.#turn();
    onState?.("working");
    const startedAt = monotonic();
    let hasHeard = false;
    using silence = new Silence({
      patienceMs: () => isMute ? LONGEST_MS : this.#pace.patienceMs,
      onSilent: () => {
        onState?.("silent");
        this.#leave();
      },
      onHeard: () => {
        onState?.("working");
        this.#working++;
      },
    });
    try {
      return await work(() => {
        if (!hasHeard) this.#pace.add(monotonic() - startedAt);
        hasHeard = true;
        silence.end();
      });
    } finally {
      silence[Symbol.dispose]();
      if (!silence.isSilent) this.#leave();
    }
  }

  /** Tries again as often as the endpoint allows. @throws {GridError} the last try's */
  async attempt<T>(options: AttemptOptions<T>): Promise<T> {
    const { endpoint, signal, connect, mayPass, onState } = options;
    for (let retry = 1;; retry++) {
      try {
        return await this.run(connect, options);
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
        onState?.("queued");
      }
    }
  }

  async #turn(): Promise<void> {
    if (this.#working < this.#atOnce) {
      this.#working++;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  #leave(): void {
    this.#working--;
    if (this.#working >= this.#atOnce) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#working++;
    next();
  }
}
