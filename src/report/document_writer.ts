/** Makes the report of a run out of its state. */
import type { Usage } from "../core/usage.ts";
import { isCounted } from "../engine/counted.ts";
import type { BatchProgressed, Failure, FetchFinished, SyncFinished } from "../engine/event.ts";
import { failureGroups, type TailOf } from "../engine/fingerprint.ts";
import type { AttemptState, RunState, StepState } from "../engine/reduce.ts";
import type {
  AttemptDocument,
  Detail,
  FailureDocument,
  RunDocument,
  StepDocument,
  TransportDocument,
  UsageDocument,
} from "./run_document.ts";

export interface RunDocumentOptions {
  /** Path relative to the run's folder of what an attempt printed; null where that was nothing. */
  readonly logOf: (step: string, attempt: number) => string | null;
  readonly transports: readonly TransportDocument[];
  /** When a run without an end was last heard of, in milliseconds since the epoch: its runner is dead. */
  readonly stoppedAt?: number | undefined;
  /** Last lines of steps that failed, where they are at hand. */
  readonly tail?: TailOf;
  /** What was made of a step before, from the very same state. */
  readonly documentOf?: (step: StepState, at: number) => StepDocument | undefined;
}

export function runDocument(state: RunState, options: RunDocumentOptions): RunDocument {
  const steps = [...state.steps.values()];
  const stoppedAt = state.result === "running" ? options.stoppedAt : undefined;
  const isStopped = stoppedAt !== undefined;
  const tail = options.tail ?? (() => []);
  return {
    version: 1,
    gridVersion: state.gridVersion,
    run: state.run,
    pipeline: state.pipeline,
    file: state.file,
    project: state.project,
    inputs: state.inputs,
    resumes: state.resumes ?? null,
    runner: state.by ?? null,
    definition: state.definition ?? null,
    commands: state.commands ?? [],
    ...timesOf(
      stoppedAt === undefined ? state : {
        startedAt: state.startedAt,
        finishedAt: stoppedAt,
        durationMs: Math.max(0, stoppedAt - state.startedAt),
      },
    ),
    startedAt: iso(state.startedAt),
    result: isStopped ? "stopped" : state.result,
    exitCode: state.exitCode ?? null,
    firstFailure: state.firstFailure ?? null,
    failureGroups: failureGroups(state, tail).map(({ words, steps }) => ({
      words,
      steps: steps.map(({ id }) => id),
    })),
    counts: countsOf(steps.filter(({ hook }) => hook === undefined), isStopped),
    hookCounts: countsOf(steps.filter(({ hook }) => hook !== undefined), isStopped),
    steps: steps.map((step, at) =>
      options.documentOf?.(step, at) ?? stepDocument(step, { ...options, isStopped })
    ),
    warnings: state.warnings,
    transports: options.transports,
  };
}

/** From what went well to what never began. */
const STATES: readonly StepState["status"][] = [
  "succeeded",
  "reused",
  "failed",
  "timed-out",
  "allowed-failure",
  "cancelled",
  "skipped",
  "running",
  "pending",
];

function countsOf(
  steps: readonly StepState[],
  isStopped: boolean,
): Readonly<Record<string, number>> {
  const found = new Map<StepState["status"], number>();
  for (const step of steps) {
    if (isCounted(step)) found.set(step.status, (found.get(step.status) ?? 0) + 1);
  }
  const known = STATES.flatMap((state) => {
    const count = found.get(state);
    return count === undefined ? [] : [[state, count] as const];
  });
  return Object.fromEntries(
    known.map(([state, count]) => [isStopped && state === "running" ? "stopped" : state, count]),
  );
}

export function stepDocument(
  step: StepState,
  { logOf, isStopped }: Pick<RunDocumentOptions, "logOf"> & { readonly isStopped: boolean },
): StepDocument {
  const from = step.reusedFrom;
  return {
    id: step.id,
    kind: step.kind,
    group: step.group ?? null,
    hook: step.hook ?? null,
    matrix: step.matrix ?? null,
    needs: step.needs,
    after: step.after,
    state: isStopped && step.status === "running" ? "stopped" : step.status,
    reason: step.reason ?? null,
    counted: isCounted(step),
    node: step.node ?? null,
    afterMs: step.afterMs ?? null,
    ...timesOf(step),
    outputs: step.outputs,
    filed: step.filed ?? {},
    masked: step.masked ?? [],
    maskedLines: step.attempts.reduce((sum, attempt) => sum + (attempt.maskedLines ?? 0), 0),
    failure: failureDocument(step.failure),
    reusedFrom: from ? { run: from.run, node: from.node ?? null } : null,
    attempts: step.attempts.map((attempt, at) => ({
      ...attemptDocument(attempt, step.attempts[at - 1]),
      ...(isStopped && attempt.result === "running" && { result: "stopped" as const }),
      log: logOf(step.id, attempt.attempt),
    })),
  };
}

function attemptDocument(
  attempt: AttemptState,
  before: AttemptState | undefined,
): Omit<AttemptDocument, "log"> {
  return {
    attempt: attempt.attempt,
    result: attempt.result,
    node: attempt.node ?? null,
    nodeWaitMs: attempt.nodeWaitMs ?? null,
    score: attempt.score ?? null,
    passedOver: attempt.passedOver,
    job: attempt.job ?? null,
    ...(attempt.ranks && { ranks: attempt.ranks }),
    ...timesOf(attempt),
    startedAt: iso(attempt.startedAt),
    afterMs: attempt.afterMs,
    exitCode: attempt.exitCode ?? null,
    failure: failureDocument(attempt.failure),
    delayMs: before?.retryInMs ?? 0,
    retryInMs: attempt.retryInMs ?? null,
    syncs: attempt.syncs.map(detail),
    fetches: attempt.fetches.map(detail),
    batch: attempt.batch ? detail(attempt.batch) : null,
    usage: attempt.usage ? usageDocument(attempt.usage) : null,
    image: attempt.image ?? null,
    ...(attempt.unkeptBytes !== undefined && { unkeptBytes: attempt.unkeptBytes }),
  };
}

function usageDocument(usage: Usage): UsageDocument {
  const { samples } = usage;
  return {
    cpuMs: usage.cpuMs ?? null,
    userMs: usage.userMs ?? null,
    systemMs: usage.systemMs ?? null,
    peakBytes: usage.peakBytes ?? null,
    gpuPeakBytes: usage.gpuPeakBytes ?? null,
    gpuLoad: usage.gpuLoad ?? null,
    samples: samples === undefined ? null : {
      atMs: samples.atMs,
      cpuMs: samples.cpuMs,
      memoryBytes: samples.memoryBytes,
      gpuBytes: samples.gpuBytes ?? null,
      gpuLoad: samples.gpuLoad ?? null,
    },
  };
}

function detail<E extends SyncFinished | FetchFinished | BatchProgressed>(event: E): Detail<E> {
  const { type: _type, at: _at, step: _step, attempt: _attempt, ...rest } = event;
  return rest;
}

function failureDocument(failure: Failure | undefined): FailureDocument | null {
  if (!failure) return null;
  return {
    code: failure.code,
    message: failure.message,
    hint: failure.hint ?? null,
    node: failure.node ?? null,
    ...(failure.rank !== undefined && { rank: failure.rank }),
    exitCode: failure.exitCode ?? null,
    signal: failure.signal ?? null,
    started: failure.started,
  };
}

interface Times {
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly durationMs?: number;
}

function timesOf({ startedAt, finishedAt, durationMs }: Times) {
  return {
    startedAt: startedAt === undefined ? null : iso(startedAt),
    finishedAt: finishedAt === undefined ? null : iso(finishedAt),
    durationMs: durationMs ?? null,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
