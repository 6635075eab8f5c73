/** The state of a run as a pure fold over its events. */
import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { ActionKind } from "../pipeline/pipeline.ts";
import type {
  BatchProgressed,
  Event,
  Failure,
  FetchFinished,
  ReuseSource,
  RunResult,
  RunStarted,
  StepOutline,
  StepResult,
  SyncFinished,
} from "./event.ts";
import { StepMap } from "./step_map.ts";

export interface RunState {
  readonly run: string;
  readonly pipeline: string;
  readonly file: string;
  readonly project: string;
  readonly inputs: Readonly<Record<string, JsonValue>>;
  readonly resumes: string | undefined;
  /** Steps that this run was asked to do again. */
  readonly again: readonly string[];
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
  /** Node of the last attempt, or of the run that a reused result comes from. */
  readonly node: string | undefined;
  readonly outputs: Readonly<Record<string, JsonValue>>;
  readonly failure: Failure | undefined;
  readonly attempts: readonly AttemptState[];
  /** Names what the step does; set once it started. */
  readonly key?: string;
  /** Digest of what each sync before it brought, by the sync's step. */
  readonly brought?: Readonly<Record<string, string>>;
  readonly reusedFrom?: ReuseSource;
  /** In a resumed run: why it ran again. */
  readonly because?: string;
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

/**
 * The state after `event`; pure, and quick for graphs of thousands of steps.
 *
 * @throws {GridError} `bug` for an event that cannot come now
 */
export function reduce(state: RunState | undefined, event: Event): RunState {
  if (event.type === "run.started") {
    if (state) throw misplaced(event);
    return startedRun(event);
  }
  if (!state) throw misplaced(event);
  switch (event.type) {
    case "run.finished":
      return {
        ...state,
        finishedAt: event.at,
        result: event.state,
        exitCode: event.exitCode,
        firstFailure: event.firstFailure,
      };
    case "warned": {
      const message = event.step === undefined ? event.message : `${event.step}: ${event.message}`;
      return { ...state, warnings: [...state.warnings, message] };
    }
    default:
      return withStep(state, event);
  }
}

/** The state after all of `events`; undefined where there are none. */
export function replay(events: Iterable<Event>): RunState | undefined {
  let state: RunState | undefined;
  for (const event of events) state = reduce(state, event);
  return state;
}

type StepEvent = Exclude<Event, { type: "run.started" | "run.finished" | "warned" }>;

function withStep(state: RunState, event: StepEvent): RunState {
  const step = state.steps.get(event.step);
  // Only `startedRun` makes states, always with a StepMap.
  const steps = step &&
    (state.steps as StepMap<StepState>).with(event.step, stepAfter(step, event));
  if (!steps) throw misplaced(event);
  return { ...state, steps };
}

function stepAfter(step: StepState, event: StepEvent): StepState {
  switch (event.type) {
    case "step.started":
      return {
        ...step,
        status: "running",
        startedAt: event.at,
        ...(event.key === undefined ? {} : { key: event.key }),
        ...(event.brought === undefined ? {} : { brought: event.brought }),
        ...(event.because === undefined ? {} : { because: event.because }),
      };
    case "step.finished":
      return {
        ...step,
        status: event.state,
        reason: event.reason,
        finishedAt: event.at,
        outputs: event.outputs,
        failure: event.failure,
        node: event.reusedFrom?.node ?? step.node,
        ...(event.reusedFrom === undefined ? {} : { reusedFrom: event.reusedFrom }),
        ...(event.key === undefined ? {} : { key: event.key }),
        ...(event.brought === undefined ? {} : { brought: event.brought }),
      };
    case "attempt.started":
      return { ...step, attempts: [...step.attempts, startedAttempt(event)] };
    case "node.chosen":
      return {
        ...withAttempt(step, event, (attempt) => ({
          ...attempt,
          node: event.node,
          score: event.score,
          passedOver: event.passedOver ?? [],
        })),
        node: event.node,
      };
    default:
      return withAttempt(step, event, (attempt) => attemptAfter(attempt, event));
  }
}

type AttemptEvent = Exclude<
  StepEvent,
  { type: "step.started" | "step.finished" | "attempt.started" | "node.chosen" }
>;

function attemptAfter(attempt: AttemptState, event: AttemptEvent): AttemptState {
  switch (event.type) {
    case "attempt.finished":
      return {
        ...attempt,
        finishedAt: event.at,
        result: event.result,
        exitCode: event.exitCode,
        failure: event.failure,
        retryInMs: event.retryInMs,
      };
    case "job.started":
      return { ...attempt, job: event.job, node: event.node };
    case "sync.finished":
      return { ...attempt, syncs: [...attempt.syncs, event] };
    case "fetch.finished":
      return { ...attempt, fetches: [...attempt.fetches, event] };
    case "batch.progressed":
      return { ...attempt, batch: event };
  }
}

function withAttempt(
  step: StepState,
  event: { readonly type: Event["type"]; readonly attempt: number },
  change: (attempt: AttemptState) => AttemptState,
): StepState {
  const at = step.attempts.findLastIndex((attempt) => attempt.attempt === event.attempt);
  const attempt = step.attempts[at];
  if (!attempt) throw misplaced({ ...event, step: step.id });
  return { ...step, attempts: step.attempts.with(at, change(attempt)) };
}

function startedRun(event: RunStarted): RunState {
  return {
    run: event.run,
    pipeline: event.pipeline,
    file: event.file,
    project: event.project,
    inputs: event.inputs,
    resumes: event.resumes,
    again: event.again ?? [],
    gridVersion: event.gridVersion,
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

function startedAttempt(event: { readonly attempt: number; readonly at: number }): AttemptState {
  return {
    attempt: event.attempt,
    startedAt: event.at,
    finishedAt: undefined,
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

function misplaced(event: { readonly type: Event["type"]; readonly step?: string }): GridError {
  const subject = event.step === undefined ? "" : ` of "${event.step}"`;
  return new GridError({
    code: "bug",
    message: `Cannot apply ${event.type}${subject}: nothing announced it`,
  });
}
