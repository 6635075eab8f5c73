/** The state of a run as a pure fold over its events. */
import { GridError } from "../core/errors.ts";
import type { Event, Warned } from "./event.ts";
import {
  type AttemptState,
  type RunState,
  startedAttempt,
  startedRun,
  type StepState,
  type Waiting,
} from "./run_state.ts";
import type { StepMap } from "./step_map.ts";

export type { AttemptState, RunState, StepState } from "./run_state.ts";

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
        durationMs: event.durationMs ?? between(state.startedAt, event.at),
        result: event.state,
        exitCode: event.exitCode,
        firstFailure: event.firstFailure,
        ...(event.skipped === undefined ? {} : { skipped: event.skipped }),
      };
    case "warned":
      return warned(state, event);
    default:
      return withStep(state.queue ? leaveQueue(state, state.queue) : state, event);
  }
}

function warned(before: RunState, { step, message, queue, uncached }: Warned): RunState {
  const warning = step === undefined ? message : `${step}: ${message}`;
  const state = { ...before, warnings: [...before.warnings, warning] };
  if (queue) return { ...state, queue: { ...queue, warning } };
  const known = step === undefined ? undefined : state.steps.get(step);
  if (!known || uncached === undefined) return state;
  const steps = (state.steps as StepMap<StepState>).with(known.id, { ...known, uncached });
  return steps ? { ...state, steps } : state;
}

/** Its turn has come: that it waited is no news any more. */
function leaveQueue(state: RunState, queue: Waiting): RunState {
  const warnings = state.warnings.filter((warning) => warning !== queue.warning);
  return { ...state, warnings, queue: undefined };
}

/**
 * The state after all of `events`; undefined where there are none.
 *
 * @throws {GridError} `usage` where one of them cannot come after those before: a damaged journal
 */
export function replay(events: Iterable<Event>): RunState | undefined {
  let state: RunState | undefined;
  try {
    for (const event of events) state = reduce(state, event);
  } catch (thrown) {
    if (!(thrown instanceof GridError) || thrown.code !== "bug") throw thrown;
    throw unfolding(state, thrown);
  }
  return state;
}

function unfolding(state: RunState | undefined, cause: GridError): GridError {
  return new GridError({
    code: "usage",
    message:
      `Cannot read the journal of run ${state?.run ?? "(without a beginning)"}: events are ` +
      "missing",
    hint: "other runs are not touched: grid runs",
    cause,
  });
}

type StepEvent = Exclude<Event, { type: "run.started" | "run.finished" | "warned" }>;

function withStep(state: RunState, event: StepEvent): RunState {
  const step = state.steps.get(event.step);
  // Only `startedRun` makes states, always with a StepMap.
  const steps = step &&
    (state.steps as StepMap<StepState>).with(event.step, stepAfter(step, event, state));
  if (!steps) throw misplaced(event);
  return { ...state, steps };
}

/** What journals of older Grids did not measure. */
function between(from: number, to: number): number {
  return Math.max(0, to - from);
}

function stepAfter(step: StepState, event: StepEvent, run: RunState): StepState {
  switch (event.type) {
    case "step.started":
      return {
        ...step,
        status: "running",
        startedAt: event.at,
        afterMs: event.afterMs ?? between(run.startedAt, event.at),
        ...(event.key === undefined ? {} : { key: event.key }),
        ...(event.brought === undefined ? {} : { brought: event.brought }),
        ...(event.because === undefined ? {} : { because: event.because }),
        ...(event.uncached === undefined ? {} : { uncached: event.uncached }),
        ...(event.takenOver === undefined ? {} : { takenOver: event.takenOver }),
      };
    case "step.finished":
      return {
        ...step,
        status: event.state,
        reason: event.reason,
        finishedAt: event.at,
        ...(step.startedAt === undefined
          ? {}
          : { durationMs: event.durationMs ?? between(step.startedAt, event.at) }),
        outputs: event.outputs,
        ...(event.filed === undefined ? {} : { filed: event.filed }),
        ...(event.masked === undefined ? {} : { masked: event.masked }),
        failure: event.failure,
        node: event.reusedFrom?.node ?? step.node,
        ...(event.uncalled && { uncalled: event.uncalled }),
        ...(event.reusedFrom === undefined ? {} : { reusedFrom: event.reusedFrom }),
        ...(event.key === undefined ? {} : { key: event.key }),
        ...(event.brought === undefined ? {} : { brought: event.brought }),
      };
    case "service.ended":
      return {
        ...withAttempt(step, event, (attempt) => ({ ...attempt, failure: event.failure })),
        status: event.state,
        failure: event.failure,
      };
    case "attempt.started":
      return {
        ...step,
        attempts: [
          ...step.attempts,
          startedAttempt(event, event.afterMs ?? between(run.startedAt, event.at)),
        ],
      };
    case "node.chosen":
      if (event.rank !== undefined && event.rank > 0) {
        return withAttempt(step, event, (attempt) => withRank(attempt, event));
      }
      return {
        ...withAttempt(step, event, (attempt) => ({
          ...(event.rank === undefined ? attempt : withRank(attempt, event)),
          node: event.node,
          nodeWaitMs: between(attempt.startedAt, event.at),
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
  { type: "step.started" | "step.finished" | "attempt.started" | "node.chosen" | "service.ended" }
>;

function attemptAfter(attempt: AttemptState, event: AttemptEvent): AttemptState {
  switch (event.type) {
    case "attempt.finished":
      return {
        ...attempt,
        finishedAt: event.at,
        durationMs: event.durationMs ?? between(attempt.startedAt, event.at),
        result: event.result,
        exitCode: event.exitCode,
        failure: event.failure,
        retryInMs: event.retryInMs,
        ...(event.notRetried === undefined ? {} : { notRetried: event.notRetried }),
        ...(event.maskedLines === undefined ? {} : { maskedLines: event.maskedLines }),
        ...(event.unkeptBytes === undefined ? {} : { unkeptBytes: event.unkeptBytes }),
        ...(event.usage === undefined ? {} : { usage: event.usage }),
        ...(event.image === undefined ? {} : { image: event.image }),
      };
    case "rank.ended":
      return withRank(attempt, event);
    case "job.started":
      if (event.rank !== undefined && event.rank > 0) return withRank(attempt, event);
      return {
        ...(event.rank === undefined ? attempt : withRank(attempt, event)),
        job: event.job,
        node: event.node,
        nodeWaitMs: between(attempt.startedAt, event.at),
        ...(event.folder === undefined ? {} : { folder: event.folder }),
      };
    case "sync.finished":
      return { ...attempt, syncs: [...attempt.syncs, event] };
    case "fetch.finished":
      return { ...attempt, fetches: [...attempt.fetches, event] };
    case "data.finished":
      return { ...attempt, data: [...attempt.data ?? [], event] };
    case "batch.progressed":
      return { ...attempt, batch: event };
    case "sync.progressed":
      return attempt;
  }
}

type RankEvent = Extract<Event, { type: "node.chosen" | "job.started" | "rank.ended" }>;

/** Another choice of nodes takes the place of the one before. */
function withRank(attempt: AttemptState, event: RankEvent): AttemptState {
  const { rank = 0, node } = event;
  const ranks = (attempt.ranks ?? []).filter((other) => other.rank !== rank);
  const before = (attempt.ranks ?? []).find((other) => other.rank === rank);
  const now = event.type === "node.chosen"
    ? { rank, node }
    : event.type === "job.started"
    ? { rank, node, job: event.job }
    : {
      ...before,
      rank,
      node,
      by: event.by,
      ...(event.exitCode === undefined ? {} : { exitCode: event.exitCode }),
      ...(event.words === undefined ? {} : { words: event.words }),
    };
  return { ...attempt, ranks: [...ranks, now].sort((a, b) => a.rank - b.rank) };
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

function misplaced(event: { readonly type: Event["type"]; readonly step?: string }): GridError {
  const subject = event.step === undefined ? "" : ` of "${event.step}"`;
  return new GridError({
    code: "bug",
    message: `Cannot apply ${event.type}${subject}: nothing announced it`,
  });
}
