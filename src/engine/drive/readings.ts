/** Before a step is judged: what it depends on may be much to read, and is read while everything else goes on. */
import type { Attempted, ReadFirst } from "../ports.ts";

/** For a step whose files change all the time, or cannot be read: then they are read at once, which says why. */
const MOST_READINGS = 4;

export class Readings {
  readonly #port: ReadFirst | undefined;
  /** Step → how often something was read for it. */
  readonly #counts = new Map<string, number>();

  constructor(port: ReadFirst | undefined) {
    this.#port = port;
  }

  /** @param work that may be done again */
  attempt<T>(step: string, work: () => T): Attempted<T> {
    const count = this.#counts.get(step) ?? 0;
    if (this.#port === undefined || count >= MOST_READINGS) return { value: work() };
    const attempted = this.#port.attempt(work);
    if ("read" in attempted) this.#counts.set(step, count + 1);
    return attempted;
  }
}
