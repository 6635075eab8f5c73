/** When the outcomes of a driver are read: at its end, or before where nothing can change any more. */
import type { BatchHost, BatchOutcome, BatchSpec } from "./batch.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { DriverFiles } from "./driver_spec.ts";
import { pathPrefixOf } from "./driver_upload.ts";
import { OutcomeReader, readOutcomes, SuccessLines } from "./results.ts";

export interface ReadOutcomes {
  readonly outcome: () => BatchOutcome;
  /** Successes as lines of a results file, where they may be needed on another node. */
  readonly successes: Uint8Array;
}

export class OutcomeReading implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #verdict = Promise.withResolvers<boolean>();
  readonly #read: (successes?: SuccessLines) => Promise<OutcomeReader>;
  #reading: Promise<OutcomeReader> | undefined;

  constructor(
    { head, spec, host }: {
      readonly head: OpenNode;
      readonly spec: BatchSpec;
      readonly host: BatchHost;
    },
    { results }: DriverFiles,
  ) {
    const total = spec.tasks.length;
    this.#read = async (successes) => {
      const reader = new OutcomeReader(total, host.outcomes, successes);
      await readOutcomes(head.transport, reader, {
        pathPrefix: pathPrefixOf(head)[0] ?? "",
        results,
        total,
        signal: AbortSignal.any([host.signal, this.#stop.signal]),
        isDone: () => this.#verdict.promise,
      });
      return reader;
    };
  }

  /** All tasks have succeeded: their outcomes come while the driver looks for what they have left running. */
  begin(): void {
    this.#reading ??= this.#read();
    this.#reading.catch(() => {}); // `finish` tells
  }

  /** @param isDone whether the next run of this work starts from nothing */
  async finish(isDone: boolean): Promise<ReadOutcomes> {
    this.#verdict.resolve(isDone);
    const successes = isDone ? undefined : new SuccessLines();
    this.#reading ??= this.#read(successes);
    const reader = await this.#reading;
    return { outcome: () => reader.outcome(), successes: successes?.bytes ?? new Uint8Array() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#verdict.resolve(false);
    this.#stop.abort();
    await this.#reading?.catch(() => {});
  }
}
