/** When the outcomes of a driver are read: at its end, or before where nothing can change any more. */
import { monotonic } from "../core/clock.ts";
import { getLogger } from "../core/log.ts";
import type { BatchHost, BatchOutcome, BatchProgress, BatchSpec } from "./batch.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { DriverFiles } from "./driver_spec.ts";
import { pathPrefixOf } from "./driver_upload.ts";
import { HandOver, type HandOverPlace, OutcomeReader, SuccessLines } from "./results.ts";

export interface ReadOutcomes {
  readonly outcome: () => BatchOutcome;
  /** Successes as lines of a results file, where they may be needed on another node. */
  readonly successes: Uint8Array;
}

/** So long before its end a batch is nearly over: the program that hands over takes a moment to start. */
const NEARLY_MS = 1000;

export class OutcomeReading implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #verdict = Promise.withResolvers<boolean>();
  readonly #host: BatchHost;
  readonly #place: HandOverPlace;
  /** When the driver first told how far it is, and how far. */
  #begun: { readonly at: number; readonly done: number } | undefined;
  #ready: Promise<HandOver | undefined> | undefined;
  #reading: Promise<OutcomeReader> | undefined;

  constructor(
    { head, spec, host }: {
      readonly head: OpenNode;
      readonly spec: BatchSpec;
      readonly host: BatchHost;
    },
    { results }: DriverFiles,
  ) {
    this.#host = host;
    this.#place = {
      transport: head.transport,
      pathPrefix: pathPrefixOf(head)[0] ?? "",
      results,
      total: spec.tasks.length,
      signal: AbortSignal.any([host.signal, this.#stop.signal]),
    };
  }

  /** Makes ready shortly before the end; begins where all have succeeded, while the driver looks for leftovers. */
  follow({ done, failed, total }: BatchProgress): void {
    if (done === total && failed === 0) {
      this.#reading ??= this.#read();
      this.#reading.catch(() => {}); // `finish` tells
      return;
    }
    const begun = this.#begun ??= { at: monotonic(), done };
    const fresh = done - begun.done;
    if (fresh > 0 && (monotonic() - begun.at) * (total - done) <= NEARLY_MS * fresh) {
      this.#ready ??= this.#open();
    }
  }

  /** @param isDone whether the next run of this work starts from nothing */
  async finish(isDone: boolean): Promise<ReadOutcomes> {
    this.#verdict.resolve(isDone);
    const successes = isDone ? undefined : new SuccessLines();
    this.#reading ??= this.#read(successes);
    const reader = await this.#reading;
    return { outcome: () => reader.outcome(), successes: successes?.bytes ?? new Uint8Array() };
  }

  /** Undefined where it cannot be made ready: then it is opened when it is needed. */
  async #open(): Promise<HandOver | undefined> {
    try {
      return await HandOver.open(this.#place);
    } catch (error) {
      getLogger("ray").debug(`${error}`);
      return undefined;
    }
  }

  async #read(successes?: SuccessLines): Promise<OutcomeReader> {
    const reader = new OutcomeReader(this.#place.total, this.#host.outcomes, successes);
    const isDone = () => this.#verdict.promise;
    const ready = await this.#ready;
    try {
      if (ready !== undefined) {
        await ready.read(reader, isDone);
        return reader;
      }
    } catch (error) {
      // The way to it may have broken while it waited.
      if (!reader.isUntouched || this.#place.signal.aborted) throw error;
    }
    await using fresh = await HandOver.open(this.#place);
    await fresh.read(reader, isDone);
    return reader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#verdict.resolve(false);
    this.#stop.abort();
    await this.#reading?.catch(() => {});
    await (await this.#ready)?.[Symbol.asyncDispose]();
  }
}
