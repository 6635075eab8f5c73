import type { Clock } from "../../core/clock.ts";
import { formatDuration } from "../../core/duration.ts";
import { GridError } from "../../core/errors.ts";
import type { Step } from "../../pipeline/pipeline.ts";

/**
 * An abort signal that fires with its parent's, when a time limit passes, or when nothing has
 * happened for too long. Its reason is a `GridError`. Disposing it stops the clockwork.
 */
export class Limits implements Disposable {
  readonly #clock: Clock;
  readonly #parent: AbortSignal;
  readonly #fire = new AbortController();
  readonly #onAbort = () => this.#fire.abort(this.#parent.reason);
  /** Ends the sleeps; most steps have none. */
  #over: AbortController | undefined;
  #lastSign: number;

  constructor(clock: Clock, parent: AbortSignal) {
    this.#clock = clock;
    this.#parent = parent;
    this.#lastSign = clock.monotonic();
    if (parent.aborted) this.#onAbort();
    else parent.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#fire.signal;
  }

  /** Fires after `ms`, whatever happens. */
  allow(ms: number, error: () => GridError): void {
    this.#wait(ms).then(() => this.#fire.abort(error()), ignoreOver);
  }

  /** Fires once `ms` have passed without a call to `sign`. */
  allowIdle(ms: number, error: () => GridError): void {
    const check = (): Promise<void> => {
      const left = this.#lastSign + ms - this.#clock.monotonic();
      if (left > 0) return this.#wait(left).then(check);
      this.#fire.abort(error());
      return Promise.resolve();
    };
    check().catch(ignoreOver);
  }

  /** Something happened. */
  sign(): void {
    this.#lastSign = this.#clock.monotonic();
  }

  [Symbol.dispose](): void {
    this.#parent.removeEventListener("abort", this.#onAbort);
    this.#over?.abort(OVER);
  }

  #wait(ms: number): Promise<void> {
    this.#over ??= new AbortController();
    return this.#clock.sleep(ms, { signal: this.#over.signal });
  }
}

/** Why the clockwork stops; a constant, since a reason made by the platform draws a stack each time. */
const OVER = Symbol("the limits do not matter any more");

/** Sleeps end by being aborted; a clock that fails otherwise must be heard. */
function ignoreOver(thrown: unknown): void {
  if (thrown !== OVER) throw thrown;
}

/** @param limit key below `timeout:` */
export function limitError(
  { id, place }: Pick<Step, "id" | "place">,
  limit: LimitName,
  ms: number,
): GridError {
  const said = {
    total: `all attempts together took longer than ${formatDuration(ms)}`,
    attempt: `the attempt took longer than ${formatDuration(ms)}`,
    idle: `it printed nothing for ${formatDuration(ms)}`,
  }[limit];
  // The step of a command stands in no file.
  const raise = place.file === "" ? "--timeout" : `timeout.${limit} of "${id}"`;
  return new GridError({
    code: "timed-out",
    message: `Cannot finish "${id}" in time: ${said}`,
    hint: `raise ${raise} if this is expected`,
  });
}

export type LimitName = "total" | "attempt" | "idle";
