/** The state of a run as a pure fold over its events. */
import type { JsonValue } from "../core/json.ts";
import type { ActionKind } from "../pipeline/pipeline.ts";
import type {
  BatchProgressed,
  Event,
  Failure,
  FetchFinished,
  RunResult,
  StepResult,
  SyncFinished,
} from "./event.ts";

export interface RunState {
  readonly run: string;
  readonly pipeline: string;
  readonly file: string;
  readonly project: string;
  readonly inputs: Readonly<Record<string, JsonValue>>;
  readonly resumes: string | undefined;
  readonly gridVersion: string;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  /** `running` also for a run whose runner died. */
  readonly result: RunResult | "running";
  readonly exitCode: number | undefined;
  readonly firstFailure: string | undefined;
  /** In the order of `run.started`. */
  readonly steps: ReadonlyMap<string, StepState>;
  readonly warnings: readonly string[];
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
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** Node of the last attempt. */
  readonly node: string | undefined;
  readonly outputs: Readonly<Record<string, JsonValue>>;
  readonly failure: Failure | undefined;
  readonly attempts: readonly AttemptState[];
}

export interface AttemptState {
  readonly attempt: number;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  readonly result: "running" | "succeeded" | "failed" | "timed-out" | "cancelled";
  readonly node: string | undefined;
  readonly score: number | undefined;
  readonly passedOver: readonly { readonly node: string; readonly reason: string }[];
  readonly job: string | undefined;
  readonly exitCode: number | undefined;
  readonly failure: Failure | undefined;
  readonly retryInMs: number | undefined;
  readonly syncs: readonly SyncFinished[];
  readonly fetches: readonly FetchFinished[];
  readonly batch: BatchProgressed | undefined;
}

/** The state after `event`. Events of steps that `run.started` did not announce are a bug. */
export type Reduce = (state: RunState | undefined, event: Event) => RunState;
