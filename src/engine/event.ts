/**
 * What happens in a run, in order. The journal holds exactly these; state, reports, metrics and the
 * terminal are made from nothing else. Plain JSON, already masked when it leaves the engine.
 */
import type { Usage } from "../core/usage.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { ActionKind } from "../pipeline/pipeline.ts";
import type {
  DataFinished,
  FetchFinished,
  SyncedTree,
  SyncFinished,
  SyncProgressed,
} from "./file_event.ts";
import type { Measured, Timestamp } from "./timestamp.ts";

export type { DataFinished, FetchFinished, SyncedTree, SyncFinished, SyncProgressed };
export type { Measured, Timestamp };

/**
 * Of these events as they stand in journals and files. It grows when an older Grid would misread a
 * newer one's; fields and kinds may be added without.
 */
export const EVENT_FORM = 1;

/** What happens in a run, in order; plain JSON, with secrets masked. */
export type Event =
  | RunStarted
  | RunFinished
  | StepStarted
  | StepFinished
  | AttemptStarted
  | AttemptFinished
  | NodeChosen
  | JobStarted
  | RankEnded
  | SyncFinished
  | FetchFinished
  | DataFinished
  | BatchProgressed
  | SyncProgressed
  | ServiceEnded
  | Warned;

/** A run began. */
export interface RunStarted {
  /** What this event is. */
  readonly type: "run.started";
  /** When it happened. */
  readonly at: Timestamp;
  /** `EVENT_FORM` of the Grid that wrote it; journals of older Grids have none, and are of form 1. */
  readonly form?: number;
  /** Id of the run. */
  readonly run: string;
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Its file, as the user wrote it; empty for a single command. */
  readonly file: string;
  /** Folder the run was started for; relative paths start there. */
  readonly project: string;
  /** Values of its inputs. */
  readonly inputs: Readonly<Record<string, JsonValue>>;
  /** Every step of the graph, in order, so that a reader can show those that never start. */
  readonly steps: readonly StepOutline[];
  /** The run that this one resumes. */
  readonly resumes?: string;
  /** In a resumed run: steps that were asked for again, whatever the earlier run has. */
  readonly again?: readonly string[];
  /** Variables that `env()` asks for, where they were set; a resume falls back on them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Version of Grid that runs it. */
  readonly gridVersion: string;
  /** Names what the pipeline said, where code was synced. */
  readonly definition?: string;
  /** Who runs it, and where. */
  readonly by?: Runner;
  /** What its steps run, as written; every text once. */
  readonly commands?: readonly Command[];
}

/** The account and the machine that a run was started by and on. */
export interface Runner {
  /** Name of the account. */
  readonly user: string;
  /** Name of the machine. */
  readonly host: string;
  /** Its operating system, and what Grid itself runs on there. */
  readonly system: string;
}

/** A script or the call of a batch, before its expressions have values. */
export interface Command {
  /** As it stands in the pipeline, cut where it is very long. */
  readonly text: string;
  /** Ids of the steps that run it. */
  readonly steps: readonly string[];
}

/** A step before anything is known of it. */
export interface StepOutline {
  /** `train`, a cell `sweep[lr=1e-4]`, a template's step `eval/score`. */
  readonly id: string;
  /** What it does. */
  readonly kind: ActionKind;
  /** Steps that must have succeeded before. */
  readonly needs: readonly string[];
  /** Steps that must have ended before. */
  readonly after: readonly string[];
  /** The matrix or template it is part of. */
  readonly group?: string;
  /** Its condition, as written. */
  readonly if?: string;
  /** Set for a step of `hooks`. */
  readonly hook?: "success" | "failure" | "exit";
  /** Of a cell: its values by axis. */
  readonly matrix?: Readonly<Record<string, JsonValue>>;
}

/** A run ended. */
export interface RunFinished {
  /** What this event is. */
  readonly type: "run.finished";
  /** When it happened. */
  readonly at: Timestamp;
  /** How. */
  readonly state: RunResult;
  /** The step whose failure came first. */
  readonly firstFailure?: string;
  /** Code of `grid run` as a process. */
  readonly exitCode: number;
  /** Why the run did nothing: its concurrency group was taken; one clause. */
  readonly skipped?: string;
  /** How long it took. */
  readonly durationMs?: Measured;
}

/** A step began. */
export interface StepStarted {
  /** What this event is. */
  readonly type: "step.started";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Since the run's beginning. */
  readonly afterMs?: Measured;
  /** Names what the step does, whatever the attempt, node or run; a resume compares it. */
  readonly key?: string;
  /** Digest of what each sync before it brought, by the sync's step; a resume compares it. */
  readonly brought?: Readonly<Record<string, string>>;
  /** In a resumed run: why the earlier result does not stand; one clause. */
  readonly because?: string;
  /** Of a step with `cache:`: why no kept result stands in for it; one clause. */
  readonly uncached?: string;
  /** In a resumed run: the job that an earlier runner started and this one goes on with. */
  readonly takenOver?: TakenOver;
}

/** A job of an earlier run that this one goes on with. */
export interface TakenOver {
  /** The run that started the job. */
  readonly run: string;
  /** Name of the job on its node. */
  readonly job: string;
  /** When that run started it. */
  readonly since: Timestamp;
}

/** A step ended. */
export interface StepFinished {
  /** What this event is. */
  readonly type: "step.finished";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** How. */
  readonly state: StepResult;
  /** Why it did not run, was reused, or was cancelled; one sentence without a full stop. */
  readonly reason?: string;
  /** A hook that was skipped because its moment did not come. */
  readonly uncalled?: true;
  /** What it gave. */
  readonly outputs: Readonly<Record<string, JsonValue>>;
  /** Outputs that are too large for an event, each in a file of a run. */
  readonly filed?: Readonly<Record<string, OutputFile>>;
  /** Names of outputs that hold a secret: masked in `outputs`, or left out where the result is reused. */
  readonly masked?: readonly string[];
  /** What went wrong. */
  readonly failure?: Failure;
  /** Of a step that started. */
  readonly durationMs?: Measured;
  /** Set where the state is `reused`. */
  readonly reusedFrom?: ReuseSource;
  /** As in `step.started`, which a reused step does not have. */
  readonly key?: string;
  /** Digests of what was synced before, by step. */
  readonly brought?: Readonly<Record<string, string>>;
}

/** A list that lies in a file: one JSON value per line. */
export interface OutputFile {
  /** The run that wrote it, in whose folder it lies. */
  readonly run: string;
  /** Its name below `results/` there. */
  readonly file: string;
  /** Lines. */
  readonly items: number;
  /** Of the whole file. */
  readonly bytes: number;
}

/** The run whose result stands in for a step that did not run again. */
export interface ReuseSource {
  /** Id of the run. */
  readonly run: string;
  /** Node of that run's last attempt. */
  readonly node?: string;
}

/** A step is tried. */
export interface AttemptStarted {
  /** What this event is. */
  readonly type: "attempt.started";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Since the run's beginning. */
  readonly afterMs?: Measured;
}

/** A try of a step ended. */
export interface AttemptFinished {
  /** What this event is. */
  readonly type: "attempt.finished";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** How. */
  readonly result: "succeeded" | "failed" | "timed-out" | "cancelled";
  /** Exit code of the command, where there was one. */
  readonly exitCode?: number;
  /** What went wrong. */
  readonly failure?: Failure;
  /** Milliseconds until the next attempt starts; absent when this was the last. */
  readonly retryInMs?: number;
  /** Of a last attempt that failed: why there is no other; one clause. */
  readonly notRetried?: string;
  /** Lines of its output in which a mask stands in place of a secret. */
  readonly maskedLines?: number;
  /** Bytes of its output that are in no log, as the disk had no room for them. */
  readonly unkeptBytes?: number;
  /** How long it took. */
  readonly durationMs?: Measured;
  /** Of a command that lived for longer than a moment, on a node that can tell. */
  readonly usage?: Usage;
  /** Container image that its command ran in, by its digest where the engine knows one. */
  readonly image?: string;
}

/** A node was found for the attempt. */
export interface NodeChosen {
  /** What this event is. */
  readonly type: "node.chosen";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Of a step on many nodes: which one of its commands, from 0. */
  readonly rank?: number;
  /** Name of the node. */
  readonly node: string;
  /** Health score, lower is better; absent where the pipeline named the node. */
  readonly score?: number;
  /** Nodes passed over, with the reason. */
  readonly passedOver?: readonly { readonly node: string; readonly reason: string }[];
}

/** Journaled before the remote process is started, so that a later Grid can find it. */
export interface JobStarted {
  /** What this event is. */
  readonly type: "job.started";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Name of the node. */
  readonly node: string;
  /** Name of the job on its node. */
  readonly job: string;
  /** Of a step on many nodes: which one of its commands, from 0. */
  readonly rank?: number;
  /** Absolute folder that it starts in there; older journals have none. */
  readonly folder?: string;
}

/** One command of a step on many nodes ended. */
export interface RankEnded {
  /** What this event is. */
  readonly type: "rank.ended";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Which one, from 0. */
  readonly rank: number;
  /** Name of its node. */
  readonly node: string;
  /** `grid`: it was told to, because of another; what it then ended with is no result. */
  readonly by: "itself" | "grid";
  /** Of a command that ended by itself. */
  readonly exitCode?: number;
  /** How else it ended, or what was left of it; one clause. */
  readonly words?: string;
}

/** A batch came further. */
export interface BatchProgressed {
  /** What this event is. */
  readonly type: "batch.progressed";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Tasks that are over, whatever their result. */
  readonly done: number;
  /** Of these. */
  readonly failed: number;
  /** All there are. */
  readonly total: number;
  /** Tasks that end per second, by what was seen of this attempt. */
  readonly perSecond?: number;
  /** Until the last one ends, at that rate. */
  readonly leftMs?: Measured;
  /** How long batches have kept each GPU, by `<node> <GPU>`. */
  readonly busyMs?: Readonly<Record<string, Measured>>;
  /** `managed`, `existing` or `embedded` (local processes, no Ray). */
  readonly mode: string;
}

/** A service ended although its run went on: its step, which had succeeded, did not after all. */
export interface ServiceEnded {
  /** What this event is. */
  readonly type: "service.ended";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step. */
  readonly step: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** What became of the step. */
  readonly state: StepResult;
  /** How the service ended. */
  readonly failure: Failure;
}

/** Something the reader should know that changed no result. */
export interface Warned {
  /** What this event is. */
  readonly type: "warned";
  /** When it happened. */
  readonly at: Timestamp;
  /** Id of the step it is about; absent where it is about the run. */
  readonly step?: string;
  /** In words, without a full stop. */
  readonly message: string;
  /** Of a step with `cache:` that began to look for what it had made: why that does not stand. */
  readonly uncached?: string;
  /** What the run waits for before its first step; the warning is over when that begins. */
  readonly queue?: Queue;
}

/** What a run waits for. */
export interface Queue {
  /** Concurrency group. */
  readonly group: string;
  /** Runs that hold a place or came earlier. */
  readonly ahead: readonly string[];
}

/** How a step ended. */
export type StepResult =
  | "succeeded"
  | "failed"
  | "allowed-failure"
  | "timed-out"
  | "cancelled"
  | "skipped"
  | "reused";

/** How a run ended. */
export type RunResult = "succeeded" | "failed" | "timed-out" | "cancelled";

/** Why an attempt failed: `GridError` as plain data. */
export interface Failure {
  /** What kind of failure it is. */
  readonly code: ErrorCode;
  /** In words, without a full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Name of the node, where it happened on one. */
  readonly node?: string;
  /** Of a step on many nodes: the command that failed first, from 0. */
  readonly rank?: number;
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
