/** Long work leaves everything else its turn: what nodes say, signals, heartbeats, timers. */
import { monotonic } from "./clock.ts";

/** Milliseconds of work after which the others come first. */
const WORK_MS = 40;

/** Waits after which what lay in a pipe has come through Deno's own layers, as measured: two are too few. */
const WAITS = 3;

export class Turns {
  readonly #signal: AbortSignal | undefined;
  #sinceMs = monotonic();

  constructor({ signal }: { readonly signal?: AbortSignal | undefined } = {}) {
    this.#signal = signal;
  }

  /** Whether the others have waited for long enough, for who does not want to wait for a promise each time. */
  get areDue(): boolean {
    return monotonic() - this.#sinceMs >= WORK_MS;
  }

  /**
   * Resolves once everything that is there has been heard; at once where nobody has waited for long.
   *
   * @throws the signal's reason
   */
  async next(): Promise<void> {
    if (!this.areDue) return;
    await everythingElse();
    this.#signal?.throwIfAborted();
    this.#sinceMs = monotonic();
  }
}

/**
 * Lets everything be heard that is there by now.
 *
 * Not by `setImmediate`: Deno looks for what sockets, pipes and signals have only when it would otherwise
 * wait, or after some sixty turns (findings/deno_set_immediate_hears_nothing.sh). Nor by timers, which wait
 * for one or two milliseconds each: what another thread looks up is there after a twentieth of one.
 */
export async function everythingElse(): Promise<void> {
  for (let wait = 0; wait < WAITS; wait++) await Deno.lstat("/");
}
