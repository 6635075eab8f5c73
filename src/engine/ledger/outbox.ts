/** Events on their way out: journaled together, and only then shown to anybody. */
import { clearImmediate, setImmediate } from "node:timers";
import type { Event } from "../event.ts";
import type { Journal } from "../ports.ts";

export interface OutboxOptions {
  readonly run: string;
  readonly journal: Journal;
  /** Receives each event once it is durable. */
  readonly publish: (event: Event) => void;
}

/**
 * What happens in one turn of the event loop is journaled at its end, in one transaction: one for
 * each event would cost more than the step that it tells about.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #broken = new AbortController();
  #waiting: Event[] = [];
  #endOfTurn: NodeJS.Immediate | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Fires when the journal takes no more events; its reason is what the journal threw. */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  /** @throws what the journal threw before */
  put(event: Event): void {
    this.broken.throwIfAborted();
    this.#waiting.push(event);
    this.#endOfTurn ??= setImmediate(() => this.#flushAtEndOfTurn());
  }

  /** Makes durable and visible what was put in so far. @throws what the journal throws */
  flush(): void {
    clearImmediate(this.#endOfTurn);
    this.#endOfTurn = undefined;
    this.broken.throwIfAborted();
    const events = this.#waiting;
    if (events.length === 0) return;
    this.#waiting = [];
    const { run, journal, publish } = this.#options;
    try {
      journal.append(run, events);
    } catch (error) {
      this.#broken.abort(error);
      throw error;
    }
    for (const event of events) publish(event);
  }

  #flushAtEndOfTurn(): void {
    try {
      this.flush();
    } catch (error) {
      // Whoever listens to `broken` knows already; nobody waits for this call.
      if (!this.broken.aborted) throw error;
    }
  }
}
