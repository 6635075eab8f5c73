/**
 * What happens in a run, in order. The journal holds exactly these; state, reports, metrics and the
 * terminal are made from nothing else. Plain JSON, already masked when it leaves the engine.
 */
import type { ErrorCode } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { ActionKind } from "../pipeline/pipeline.ts";

/** Milliseconds since the Unix epoch, as the date stood; NTP or a person may have set it meanwhile. */
type Timestamp = number;
/**
 * Milliseconds by a clock that does not jump; differences of timestamps are no measure. Journals of
 * older Grids have none.
 */
type Measured = number;

/**
 * Of these events as they stand in journals and files. It grows when an older Grid would misread a
 * newer one's; fields and kinds may be added without.
 */
export const EVENT_FORM = 1;

export type Event =
  | RunStarted
  | RunFinished
  | StepStarted
  | StepFinished
  | AttemptStarted
  | AttemptFinished
  | NodeChosen
  | JobStarted
  | SyncFinished
  | FetchFinished
  | BatchProgressed
  | Warned;

export interface RunStarted {
  readonly type: "run.started";
  readonly at: Timestamp;
  /** `EVENT_FORM` of the Grid that wrote it; journals of older Grids have none, and are of form 1. */
  readonly form?: number;
  readonly run: string;
  readonly pipeline: string;
  readonly file: string;
  /** Folder the run was started for; relative paths start there. */
  readonly project: string;
  readonly inputs: Readonly<Record<string, JsonValue>>;
  /** Every step of the graph, in order, so that a reader can show those that never start. */
  readonly steps: readonly StepOutline[];
  /** The run that this one resumes. */
  readonly resumes?: string;
  /** In a resumed run: steps that were asked for again, whatever the earlier run has. */
  readonly again?: readonly string[];
  readonly gridVersion: string;
  /** Names what the pipeline said, where code was synced. */
  readonly definition?: string;
}

export interface StepOutline {
  readonly id: string;
  readonly kind: ActionKind;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  readonly group?: string;
  /** Its condition, as written. */
  readonly if?: string;
  /** Set for a step of `hooks`. */
  readonly hook?: "success" | "failure" | "exit";
}

export interface RunFinished {
  readonly type: "run.finished";
  readonly at: Timestamp;
  readonly state: RunResult;
  /** The step whose failure came first. */
  readonly firstFailure?: string;
  /** Code of `grid run` as a process. */
  readonly exitCode: number;
  /** Why the run did nothing: its concurrency group was taken; one clause. */
  readonly skipped?: string;
  readonly durationMs?: Measured;
}

export interface StepStarted {
  readonly type: "step.started";
  readonly at: Timestamp;
  readonly step: string;
  /** Since the run's beginning. */
  readonly afterMs?: Measured;
  /** Names what the step does, whatever the attempt, node or run; a resume compares it. */
  readonly key?: string;
  /** Digest of what each sync before it brought, by the sync's step; a resume compares it. */
  readonly brought?: Readonly<Record<string, string>>;
  /** In a resumed run: why the earlier result does not stand; one clause. */
  readonly because?: string;
  /** In a resumed run: the job that an earlier runner started and this one goes on with. */
  readonly takenOver?: TakenOver;
}

export interface TakenOver {
  /** The run that started the job. */
  readonly run: string;
  readonly job: string;
  /** When that run started it. */
  readonly since: Timestamp;
}

export interface StepFinished {
  readonly type: "step.finished";
  readonly at: Timestamp;
  readonly step: string;
  readonly state: StepResult;
  /** Why it did not run, was reused, or was cancelled; one sentence without a full stop. */
  readonly reason?: string;
  /** A hook that was skipped because its moment did not come. */
  readonly uncalled?: true;
  readonly outputs: Readonly<Record<string, JsonValue>>;
  /** Names of outputs that hold a secret: masked in `outputs`, or left out where the result is reused. */
  readonly masked?: readonly string[];
  readonly failure?: Failure;
  /** Of a step that started. */
  readonly durationMs?: Measured;
  /** Set where the state is `reused`. */
  readonly reusedFrom?: ReuseSource;
  /** As in `step.started`, which a reused step does not have. */
  readonly key?: string;
  readonly brought?: Readonly<Record<string, string>>;
}

/** The run whose result stands in for a step that did not run again. */
export interface ReuseSource {
  readonly run: string;
  /** Node of that run's last attempt. */
  readonly node?: string;
}

export interface AttemptStarted {
  readonly type: "attempt.started";
  readonly at: Timestamp;
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Since the run's beginning. */
  readonly afterMs?: Measured;
}

export interface AttemptFinished {
  readonly type: "attempt.finished";
  readonly at: Timestamp;
  readonly step: string;
  readonly attempt: number;
  readonly result: "succeeded" | "failed" | "timed-out" | "cancelled";
  /** Exit code of the command, where there was one. */
  readonly exitCode?: number;
  readonly failure?: Failure;
  /** Milliseconds until the next attempt starts; absent when this was the last. */
  readonly retryInMs?: number;
  readonly durationMs?: Measured;
}

/** A node was found for the attempt. */
export interface NodeChosen {
  readonly type: "node.chosen";
  readonly at: Timestamp;
  readonly step: string;
  readonly attempt: number;
  readonly node: string;
  /** Health score, lower is better; absent where the pipeline named the node. */
  readonly score?: number;
  /** Nodes passed over, with the reason. */
  readonly passedOver?: readonly { readonly node: string; readonly reason: string }[];
}

/** Journaled before the remote process is started, so that a later Grid can find it. */
export interface JobStarted {
  readonly type: "job.started";
  readonly at: Timestamp;
  readonly step: string;
  readonly attempt: number;
  readonly node: string;
  readonly job: string;
}

export interface SyncFinished {
  readonly type: "sync.finished";
  readonly at: Timestamp;
  readonly step: string;
  readonly attempt: number;
  readonly node: string;
  /** Absolute folder on the node. */
  readonly folder: string;
  /** Files sent, deleted there, and in the source altogether. */
  readonly sent: number;
  readonly deleted: number;
  readonly total: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** Of what the folder then held: paths and contents, no times. Older journals have none. */
  readonly digest?: string;
  /** How later steps prove that the folder still holds just this; this machine's own has none. */
  readonly tree?: SyncedTree;
  /** The commit of the source's git repository. */
  readonly commit?: string;
  /** Tracked files of the source were not all as in that commit. */
  readonly changed?: boolean;
}

/** A run's code on one node. */
export interface SyncedTree {
  /** Absolute `remote_root`. */
  readonly root: string;
  /** Names what the node remembers about the folder. */
  readonly key: string;
  /** Absolute. */
  readonly folder: string;
  /** Digest of the list of all that lies there. */
  readonly digest: string;
  /** Files, links and folders in that list. */
  readonly entries: number;
  /** Patterns below the folder of what steps of the run may write over. */
  readonly writes: readonly string[];
}

export interface FetchFinished {
  readonly type: "fetch.finished";
  readonly at: Timestamp;
  readonly step: string;
  readonly attempt: number;
  readonly node: string;
  /** Absolute folder on this machine. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

export interface BatchProgressed {
  readonly type: "batch.progressed";
  readonly at: Timestamp;
  readonly step: string;
  readonly attempt: number;
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** `managed`, `existing` or `embedded` (local processes, no Ray). */
  readonly mode: string;
}

/** Something the reader should know that changed no result. */
export interface Warned {
  readonly type: "warned";
  readonly at: Timestamp;
  readonly step?: string;
  readonly message: string;
  /** What the run waits for before its first step; the warning is over when that begins. */
  readonly queue?: Queue;
}

export interface Queue {
  /** Concurrency group. */
  readonly group: string;
  /** Runs that hold a place or came earlier. */
  readonly ahead: readonly string[];
}

export type StepResult =
  | "succeeded"
  | "failed"
  | "allowed-failure"
  | "timed-out"
  | "cancelled"
  | "skipped"
  | "reused";

export type RunResult = "succeeded" | "failed" | "timed-out" | "cancelled";

/** Why an attempt failed: `GridError` as plain data. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly node?: string;
  /** Exit code of the command itself. */
  readonly exitCode?: number;
  /** Name of the signal that ended the command, such as `SIGKILL`. */
  readonly signal?: string;
  /**
   * Whether the command is known to have started. Retry class `transport` covers only attempts
   * that are known not to have started, or whose job can be attached to again.
   */
  readonly started: boolean;
}
