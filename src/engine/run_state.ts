/** The state of a run, and what it is before anything happened. */
import type { Usage } from "../core/usage.ts";
import type { JsonValue } from "../core/json.ts";
import type { ActionKind } from "../pipeline/pipeline.ts";
import type {
  BatchProgressed,
  Command,
  DataFinished,
  Failure,
  FetchFinished,
  OutputFile,
  Queue,
  ReuseSource,
  Runner,
  RunResult,
  RunStarted,
  StepOutline,
  StepResult,
  SyncFinished,
  TakenOver,
} from "./event.ts";
import { StepMap } from "./step_map.ts";

export interface RunState {
  readonly run: string;
  readonly pipeline: string;
  readonly file: string;
  readonly project: string;
  readonly inputs: Readonly<Record<string, JsonValue>>;
  readonly resumes: string | undefined;
  /** Variables that `env()` asks for, where they were set. */
  readonly env?: Readonly<Record<string, string>>;
  /** Steps that this run was asked to do again. */
  readonly again: readonly string[];
  readonly gridVersion: string;
  /** Names what the pipeline said. */
  readonly definition?: string | undefined;
  /** Who runs it, and where; older Grids did not say. */
  readonly by?: Runner;
  /** What its steps run, as written. */
  readonly commands?: readonly Command[];
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  /** Of a run that is over. */
  readonly durationMs?: number;
  /** `running` also for a run whose runner died. */
  readonly result: RunResult | "running";
  readonly exitCode: number | undefined;
  readonly firstFailure: string | undefined;
  /** In the order of `run.started`. */
  readonly steps: ReadonlyMap<string, StepState>;
  readonly warnings: readonly string[];
  /** Set while the run waits for its turn. */
  readonly queue?: Waiting | undefined;
  /** Why the run did nothing. */
  readonly skipped?: string;
}

export interface Waiting extends Queue {
  /** As it stands among the warnings. */
  readonly warning: string;
}

export interface StepState {
  readonly id: string;
  readonly kind: ActionKind;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  readonly group: string | undefined;
  readonly hook: "success" | "failure" | "exit" | undefined;
  readonly status: "pending" | "running" | StepResult;
  readonly reason: string | undefined;
  /** A hook that was skipped because its moment did not come. */
  readonly uncalled?: true;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** Between the beginnings of the run and of the step. */
  readonly afterMs?: number;
  /** Of a step that started and is over. */
  readonly durationMs?: number;
  /** Node of the last attempt, or of the run that a reused result comes from. */
  readonly node: string | undefined;
  readonly outputs: Readonly<Record<string, JsonValue>>;
  /** Outputs that lie in files of a run. */
  readonly filed?: Readonly<Record<string, OutputFile>>;
  /** Outputs that hold a secret. */
  readonly masked?: readonly string[];
  readonly failure: Failure | undefined;
  readonly attempts: readonly AttemptState[];
  /** Names what the step does; set once it started. */
  readonly key?: string;
  /** Digest of what each sync before it brought, by the sync's step. */
  readonly brought?: Readonly<Record<string, string>>;
  readonly reusedFrom?: ReuseSource;
  /** In a resumed run: why it ran again. */
  readonly because?: string;
  /** Why no result that `cache:` kept stands in for it. */
  readonly uncached?: string;
  /** In a resumed run: the job that it goes on with. */
  readonly takenOver?: TakenOver;
  /** Its condition, as written. */
  readonly if?: string;
  /** Of a cell: its values by axis. */
  readonly matrix?: Readonly<Record<string, JsonValue>>;
}

export interface AttemptState {
  readonly attempt: number;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  /** Between the beginnings of the run and of the attempt. */
  readonly afterMs: number;
  /** Of an attempt that is over. */
  readonly durationMs?: number;
  readonly result: "running" | "succeeded" | "failed" | "timed-out" | "cancelled";
  readonly node: string | undefined;
  /**
   * Until its node was found and, for a job, had room for it. Between two dates: right as far as
   * nobody set the clock meanwhile.
   */
  readonly nodeWaitMs?: number;
  readonly score: number | undefined;
  readonly passedOver: readonly { readonly node: string; readonly reason: string }[];
  readonly job: string | undefined;
  /** Of a step on many nodes: its commands, by rank. */
  readonly ranks?: readonly RankState[];
  /** Absolute folder on the node that the job started in. */
  readonly folder?: string;
  readonly exitCode: number | undefined;
  readonly failure: Failure | undefined;
  readonly retryInMs: number | undefined;
  /** Why there was no other attempt. */
  readonly notRetried?: string;
  /** Lines of its output in which a mask stands. */
  readonly maskedLines?: number;
  /** Bytes of its output that are in no log, as the disk had no room for them. */
  readonly unkeptBytes?: number;
  /** What its command used of the node. */
  readonly usage?: Usage;
  /** Container image that its command ran in. */
  readonly image?: string;
  readonly syncs: readonly SyncFinished[];
  readonly fetches: readonly FetchFinished[];
  readonly batch: BatchProgressed | undefined;
  /** Data sets that it brought; absent where it brought none. */
  readonly data?: readonly DataFinished[];
}

/** One command of a step on many nodes. */
export interface RankState {
  readonly rank: number;
  readonly node: string;
  readonly job?: string;
  /** Of one that has ended: as in `rank.ended`. */
  readonly by?: "itself" | "grid";
  readonly exitCode?: number;
  readonly words?: string;
}

export function startedRun(event: RunStarted): RunState {
  return {
    run: event.run,
    pipeline: event.pipeline,
    file: event.file,
    project: event.project,
    inputs: event.inputs,
    resumes: event.resumes,
    again: event.again ?? [],
    ...(event.env !== undefined && { env: event.env }),
    gridVersion: event.gridVersion,
    ...(event.definition !== undefined && { definition: event.definition }),
    ...(event.by !== undefined && { by: event.by }),
    ...(event.commands !== undefined && { commands: event.commands }),
    startedAt: event.at,
    finishedAt: undefined,
    result: "running",
    exitCode: undefined,
    firstFailure: undefined,
    steps: StepMap.of(event.steps.map((outline) => [outline.id, pendingStep(outline)])),
    warnings: [],
  };
}

function pendingStep(outline: StepOutline): StepState {
  return {
    id: outline.id,
    kind: outline.kind,
    needs: outline.needs,
    after: outline.after,
    group: outline.group,
    hook: outline.hook,
    ...(outline.if === undefined ? {} : { if: outline.if }),
    ...(outline.matrix === undefined ? {} : { matrix: outline.matrix }),
    status: "pending",
    reason: undefined,
    startedAt: undefined,
    finishedAt: undefined,
    node: undefined,
    outputs: {},
    failure: undefined,
    attempts: [],
  };
}

export function startedAttempt(
  event: { readonly attempt: number; readonly at: number },
  afterMs: number,
): AttemptState {
  return {
    attempt: event.attempt,
    startedAt: event.at,
    finishedAt: undefined,
    afterMs,
    result: "running",
    node: undefined,
    score: undefined,
    passedOver: [],
    job: undefined,
    exitCode: undefined,
    failure: undefined,
    retryInMs: undefined,
    syncs: [],
    fetches: [],
    batch: undefined,
  };
}
