/** A list of tasks spread in batches over a Ray cluster, or over local processes without Ray. */
import type { OpenNode } from "../cluster/node.ts";

export interface BatchSpec {
  /** Unique per attempt; names the job and the results file. */
  readonly id: string;
  /** Whether an earlier runner may have started this attempt; default false. */
  readonly mayRun?: boolean;
  /** The step, whatever the run; what earlier attempts have finished is found under it. */
  readonly resultsKey: string;
  /** Digest of the step's code; undefined where no sync has brought it. */
  readonly code: string | undefined;
  /** Variables that results depend on: of `env` without what differs from run to run. */
  readonly identityEnv: Readonly<Record<string, string>>;
  /** `module:function`, called per task; or a shell command that finds its task in `$GRID_TASK`. */
  readonly target: { readonly call: string } | { readonly command: string };
  /** Each as JSON, spelled as its author did. */
  readonly tasks: readonly string[];
  /** Called once per process; what it returns is the second argument of `call`. */
  readonly setup?: string | undefined;
  /** `auto` follows the measured time of tasks. */
  readonly batchSize: number | "auto";
  readonly gpusPerBatch: number;
  readonly cpusPerBatch: number;
  readonly maxFailures: number;
  /** Whether no further task begins once more than `maxFailures` have failed. */
  readonly stopsOnFailure?: boolean;
  /** Of one task. */
  readonly itemTimeoutMs?: number | undefined;
  /** How often a failed task is tried again at once, in its batch. */
  readonly itemRetries?: number;
  /** Names of Python's classes that are tried again; default any. */
  readonly itemRetryOn?: readonly string[];
  /** Batches at once; default as many as fit. */
  readonly maxInFlight?: number | undefined;
  /** Absolute folder on the head, also put on PYTHONPATH. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Shell text before the driver's start, by which it holds the GPUs it may use. */
  readonly prelude?: string;
  readonly killGraceMs: number;
  /** Goes on when the runner is gone; default false. A job of the Jobs API always does. */
  readonly detach?: boolean;
  /** How long it outlives its runner otherwise; default 5 minutes. */
  readonly leaseMs?: number;
}

export interface BatchProgress {
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** Tasks that end, by what was seen since the first one. */
  readonly perSecond?: number;
  readonly leftMs?: number;
  /** How long batches have kept each GPU, by node and GPU. */
  readonly busyMs?: Readonly<Record<string, number>>;
}

export interface BatchHost {
  readonly signal: AbortSignal;
  output(stream: "stdout" | "stderr", bytes: Uint8Array): void | Promise<void>;
  progress(progress: BatchProgress): void;
  /** Told in the order of the tasks, once all have come to an end. */
  readonly outcomes: OutcomeSink;
  /** Called before anything is started. */
  jobStarted(job: { readonly node: string; readonly job: string }): void;
}

/**
 * Takes what came of the tasks as text, in pieces of any size: one JSON value per line. Results may be
 * larger than memory.
 */
export interface OutcomeSink {
  /** One line per task; `null` for one that failed. */
  results(bytes: Uint8Array): void;
  /** `{"index":3,"error":"…"}` for each task that failed. */
  errors(bytes: Uint8Array): void;
}

export interface BatchOutcome {
  readonly total: number;
  readonly failed: number;
  readonly firstFailure: { readonly index: number; readonly error: string } | undefined;
}

/** What a batch's driver is started with; the rest is told to it later. */
export type BatchStart = Pick<
  BatchSpec,
  "id" | "resultsKey" | "env" | "secrets" | "prelude" | "detach" | "leaseMs"
>;

/** Where batches run: one implementation per `ray.mode`. */
export interface BatchRunner {
  readonly mode: "managed" | "existing" | "embedded";
  /**
   * Loads ahead what `run` will need, if it is asked for the same; what fails here is tried again there.
   * Absent where there is nothing to gain.
   */
  prepare?(head: OpenNode, start: BatchStart): Promise<void>;
  /**
   * @param head the node that carries the driver
   * @throws {GridError} `ray`, `missing-tool`, a transport code, or the signal's reason
   */
  run(head: OpenNode, spec: BatchSpec, host: BatchHost): Promise<BatchOutcome>;
}
