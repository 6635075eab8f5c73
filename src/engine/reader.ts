import type { Event } from "./event.ts";
import type { OutputStream } from "./ports.ts";
import type { RunState } from "./reduce.ts";

/** Something that watches a run: terminal, log files, metrics, reports. */
export interface RunReader {
  /** What happened, and how the run stands after it. */
  event(event: Event, state: RunState): void;
  /** Masked bytes of one attempt, in order. A promise asks the producer to wait. */
  output?(chunk: OutputChunk): void | Promise<void>;
  /** Bytes of an attempt's output that found no room here; for whoever keeps them. */
  unkept?(step: string, attempt: number): number;
  /** Called once while the first command runs: the time to load what `close` will need. */
  prepare?(): Promise<unknown>;
  /** Called once when the run is over, however it ended. */
  close?(): void | Promise<void>;
}

/** What an attempt of a step printed, as bytes. */
export interface OutputChunk {
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Where it was printed. */
  readonly stream: OutputStream;
  /** With secrets masked; only valid until the reader is done with it. */
  readonly bytes: Uint8Array;
}
