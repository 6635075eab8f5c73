/**
 * `report.json`: everything that is known about one run. Times are ISO 8601 in UTC, durations
 * milliseconds, sizes bytes. Fields without a value are null, never missing; `version` changes
 * only when a field changes its meaning or goes away.
 */
import type { UsageSamples } from "../core/usage.ts";
import type { JsonValue } from "../core/json.ts";
import type {
  BatchProgressed,
  Command,
  FetchFinished,
  OutputFile,
  Runner,
  SyncFinished,
} from "../engine/event.ts";
import type { RankState } from "../engine/run_state.ts";
import type { AttemptState, RunState, StepState } from "../engine/reduce.ts";

export interface RunDocument {
  readonly version: 1;
  readonly gridVersion: string;
  readonly run: string;
  readonly pipeline: string;
  readonly file: string;
  readonly project: string;
  readonly inputs: Readonly<Record<string, JsonValue>>;
  /** The run that this one resumes. */
  readonly resumes: string | null;
  /** Who ran it, on which machine; runs of older Grids do not say. */
  readonly runner: Runner | null;
  /** Names what the pipeline said, where code was synced. */
  readonly definition: string | null;
  /** What steps ran, as written; every text once. */
  readonly commands: readonly Command[];
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  /** `running` while it is under way; `stopped` where its runner died before it ended. */
  readonly result: RunState["result"] | "stopped";
  readonly exitCode: number | null;
  readonly firstFailure: string | null;
  /** Failures that differ in nothing but numbers, together; that of the first failure first. */
  readonly failureGroups: readonly FailureGroupDocument[];
  /** Steps by state, those that are `counted`; without hooks. */
  readonly counts: Readonly<Record<string, number>>;
  /** The same of hooks. */
  readonly hookCounts: Readonly<Record<string, number>>;
  readonly steps: readonly StepDocument[];
  readonly warnings: readonly string[];
  /** One entry per node that was reached. */
  readonly transports: readonly TransportDocument[];
}

export interface FailureGroupDocument {
  /** What they have in common: exit code and last line, or the message. */
  readonly words: string;
  /** Ids. */
  readonly steps: readonly string[];
}

export interface StepDocument {
  readonly id: string;
  readonly kind: StepState["kind"];
  readonly group: string | null;
  readonly hook: string | null;
  /** Of a cell: its values by axis. */
  readonly matrix: Readonly<Record<string, JsonValue>> | null;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  /** `stopped` where it was running when the runner died. */
  readonly state: StepState["status"] | "stopped";
  readonly reason: string | null;
  /** Whether numbers of steps count it: not a group, nor a hook that was not called for. */
  readonly counted: boolean;
  readonly node: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Between the beginnings of the run and of the step. */
  readonly afterMs: number | null;
  readonly durationMs: number | null;
  readonly outputs: Readonly<Record<string, JsonValue>>;
  /** Outputs that lie in files: `results/<file>` in the folder of the run that wrote them. */
  readonly filed: Readonly<Record<string, OutputFile>>;
  /** Names of outputs that hold a secret. */
  readonly masked: readonly string[];
  /** Lines of its logs, all attempts together, in which a mask stands in place of a secret. */
  readonly maskedLines: number;
  readonly failure: FailureDocument | null;
  /** Run and node whose result was used again. */
  readonly reusedFrom: { readonly run: string; readonly node: string | null } | null;
  readonly attempts: readonly AttemptDocument[];
}

export interface AttemptDocument {
  readonly attempt: number;
  readonly result: AttemptState["result"] | "stopped";
  readonly node: string | null;
  /** Until its node was found and, for a job, had room for it. */
  readonly nodeWaitMs: number | null;
  readonly score: number | null;
  readonly passedOver: AttemptState["passedOver"];
  readonly job: string | null;
  /** Of a step on many nodes: its commands, by rank. */
  readonly ranks?: readonly RankState[];
  readonly startedAt: string;
  readonly finishedAt: string | null;
  /** Between the beginnings of the run and of the attempt. */
  readonly afterMs: number;
  readonly durationMs: number | null;
  readonly exitCode: number | null;
  readonly failure: FailureDocument | null;
  /** Wait before this attempt, as the attempt before it decided. */
  readonly delayMs: number;
  /** Wait before the next attempt; null where this was the last. */
  readonly retryInMs: number | null;
  /** Path relative to the run's folder; null where the attempt printed nothing, or nothing was kept. */
  readonly log: string | null;
  /** Bytes that it printed and that found no room in its log; absent where all did. */
  readonly unkeptBytes?: number;
  readonly syncs: readonly Detail<SyncFinished>[];
  readonly fetches: readonly Detail<FetchFinished>[];
  readonly batch: Detail<BatchProgressed> | null;
  /** What its command used of the node; null where nobody looked. */
  readonly usage: UsageDocument | null;
  /** Container image that its command ran in, by its digest where the engine knew one; null outside of any. */
  readonly image: string | null;
}

export interface UsageDocument {
  readonly cpuMs: number | null;
  readonly userMs: number | null;
  readonly systemMs: number | null;
  readonly peakBytes: number | null;
  readonly gpuPeakBytes: number | null;
  /** Per cent, on average. */
  readonly gpuLoad: number | null;
  readonly samples: Required<Nullable<UsageSamples>> | null;
}

type Nullable<T> = { readonly [K in keyof T]: T[K] | (undefined extends T[K] ? null : never) };

export interface FailureDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly node: string | null;
  /** Of a step on many nodes: the command that failed first. */
  readonly rank?: number;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Whether the command is known to have started. */
  readonly started: boolean;
}

/** Counters of one node's connection over the run. */
export interface TransportDocument extends TransportCounters {
  readonly node: string;
}

export interface TransportCounters {
  readonly handshakes: number;
  readonly reconnects: number;
  readonly channels: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly roundTripMs: number | null;
}

/** An event without what its place in the document says already. */
export type Detail<E> = Omit<E, "type" | "at" | "step" | "attempt">;
