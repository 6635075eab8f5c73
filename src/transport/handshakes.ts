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

/** What a handshake tells whoever counts it. */
export interface Shaking {
  /** A sign of life of the other side. */
  heard(): void;
  /** Waits until the login may begin: to be called once, when the other side has said its first word. */
  turn(): Promise<void>;
}

export type Shake<T> = (shaking: Shaking) => Promise<T>;

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

/** So many times as many may knock as may log in: to wait for a first word costs nobody anything. */
const KNOCKS_PER_LOGIN = 3;

/**
 * As many logins as may work at once. Before them come those that knock, and wait to be answered. Whoever
 * hears nothing gives its place to the next; it goes on, and is among those that log in as soon as it hears
 * something. So machines that are down keep none waiting that are up, and nobody is given up for being slow.
 */
export class Handshakes {
  readonly #knocks: Places;
  readonly #logins: Places;
  readonly #pace = new Pace();

  constructor(atOnce: number) {
    this.#knocks = new Places(KNOCKS_PER_LOGIN * atOnce);
    this.#logins = new Places(atOnce);
  }

  /** Waits its turn. */
  async run<T>(work: Shake<T>, options: RunOptions = {}): Promise<T> {
    const [knocks, logins, pace] = [this.#knocks, this.#logins, this.#pace];
    using turn = new Turn({ knocks, logins, pace, ...options });
    await turn.begin();
    return await work(turn);
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
}

interface TurnOptions extends RunOptions {
  readonly knocks: Places;
  readonly logins: Places;
  readonly pace: Pace;
}

/** One handshake: which place it has, and whether it makes use of it. */
class Turn implements Shaking, Disposable {
  readonly #options: TurnOptions;
  #places: Places;
  #silence: Silence | undefined;
  #startedAt: number | undefined;
  #isOver = false;

  constructor(options: TurnOptions) {
    this.#options = options;
    this.#places = options.isMute ? options.logins : options.knocks;
  }

  async begin(): Promise<void> {
    await this.#places.take();
    this.#startedAt = monotonic();
    this.#work();
  }

  heard(): void {
    if (this.#startedAt !== undefined) this.#options.pace.add(monotonic() - this.#startedAt);
    this.#startedAt = undefined;
    this.#silence?.end();
  }

  async turn(): Promise<void> {
    const { knocks, logins, onState } = this.#options;
    this.heard();
    if (this.#places === logins || this.#isOver) return;
    this.#silence?.[Symbol.dispose]();
    this.#silence = undefined;
    onState?.("queued");
    await logins.take();
    if (this.#isOver) return logins.leave();
    // Only now the next may knock, or all would stand at the door.
    knocks.leave();
    this.#places = logins;
    this.#work();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#silence?.[Symbol.dispose]();
    if (!this.#silence?.isSilent) this.#places.leave();
  }

  #work(): void {
    const { onState, isMute, pace } = this.#options;
    const places = this.#places;
    onState?.("working");
    this.#silence = new Silence({
      patienceMs: () => isMute ? LONGEST_MS : pace.patienceMs,
      onSilent: () => {
        onState?.("silent");
        places.leave();
      },
      onHeard: () => {
        onState?.("working");
        places.retake();
      },
    });
  }
}

/** As many as may be taken at once, first come, first served. */
class Places {
  readonly #count: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(count: number) {
    this.#count = count;
  }

  async take(): Promise<void> {
    if (this.#taken < this.#count) {
      this.#taken++;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  /** At once, though there may be one too many then. */
  retake(): void {
    this.#taken++;
  }

  leave(): void {
    this.#taken--;
    if (this.#taken >= this.#count) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#taken++;
    next();
  }
}
