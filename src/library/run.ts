/** A run under way: its events one by one, and its outcome. */
import { GridError, toGridError } from "../core/errors.ts";
import type { Event } from "../engine/event.ts";
import type { OutputChunk, RunReader } from "../engine/reader.ts";
import type { RunOutcome } from "./outcome.ts";
import { Handover, Replay } from "./stream.ts";

/** What starts a run; it must hand on everything that the readers of the run are told. */
export type StartRun = (
  reader: RunReader,
  signal: AbortSignal,
) => Promise<RunOutcome>;

/**
 * A run under way. Iterate over it for its events, from the first on; await it for its outcome. It
 * goes on whether or not anybody looks.
 *
 * @example
 * ```ts
 * import { openGrid } from "@grid/grid";
 *
 * await using grid = await openGrid({ project: await Deno.makeTempDir() });
 * await Deno.writeTextFile(`${grid.project}/hello.yaml`, "steps: [{ id: a, run: echo hello }]\n");
 * const run = grid.run("hello.yaml");
 * for await (const event of run) {
 *   if (event.type === "step.finished") console.log(event.step, event.state);
 * }
 * const { ok } = await run;
 * console.log(ok); // true
 * ```
 */
export class Run implements AsyncIterable<Event>, PromiseLike<RunOutcome>, AsyncDisposable {
  readonly #events = new Replay<Event>();
  readonly #output = new Handover<OutputChunk>();
  readonly #controller = new AbortController();
  readonly #outcome: Promise<RunOutcome>;

  /** Made by `grid.run`. */
  constructor(start: StartRun, signal: AbortSignal) {
    const reader: RunReader = {
      event: (event) => this.#events.push(event),
      output: (chunk) => this.#output.push(chunk),
    };
    const stop = () => this.cancel(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    this.#outcome = start(reader, this.#controller.signal).then(
      (outcome) => {
        this.#events.end();
        return outcome;
      },
      (thrown) => {
        const error = toGridError(thrown);
        this.#events.end({ error });
        throw error;
      },
    ).finally(() => {
      this.#output.end();
      signal.removeEventListener("abort", stop);
    });
    // Whoever only iterates is told of a failure there.
    this.#outcome.catch(() => {});
  }

  /**
   * What the steps print, as it comes, masked. The run waits for whoever iterates. Of what was printed
   * before, the newest megabyte is kept; all of it is in the log files of the run's folder.
   */
  get output(): AsyncIterable<OutputChunk> {
    return { [Symbol.asyncIterator]: () => this.#output.read() };
  }

  /** Every event from the first on. Throws what kept the run from starting. */
  [Symbol.asyncIterator](): AsyncIterator<Event> {
    return this.#events[Symbol.asyncIterator]();
  }

  /**
   * Waits for the end. A run that failed has an outcome, too; what rejects is a `GridError` for a run
   * that could not start: a file with mistakes, a secret that is missing.
   */
  then<Value = RunOutcome, Instead = never>(
    onfulfilled?: ((outcome: RunOutcome) => Value | PromiseLike<Value>) | null,
    onrejected?: ((error: unknown) => Instead | PromiseLike<Instead>) | null,
  ): Promise<Value | Instead> {
    return this.#outcome.then(onfulfilled, onrejected);
  }

  /** Asks everything to stop: commands get SIGTERM, then SIGKILL after their grace. */
  cancel(reason?: unknown): void {
    this.#controller.abort(
      reason instanceof GridError ? reason : new GridError({
        code: "interrupted",
        message: "cancelled by its caller",
        cause: reason,
      }),
    );
  }

  /** Cancels the run where it is under way, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    await this.#outcome.catch(() => {});
  }
}
