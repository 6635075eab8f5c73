/**
 * `report.json`: everything that is known about one run. Times are ISO 8601 in UTC, durations
 * milliseconds, sizes bytes. Fields without a value are null, never missing; `version` changes
 * only when a field changes its meaning or goes away.
 */
import type { JsonValue } from "../core/json.ts";
import type { BatchProgressed, Failure, FetchFinished, SyncFinished } from "../engine/event.ts";
import type { AttemptState, RunState, StepState } from "../engine/state.ts";

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
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  /** `running` where the runner ended before the run did. */
  readonly result: RunState["result"];
  readonly exitCode: number | null;
  readonly firstFailure: string | null;
  /** Steps by state. */
  readonly counts: Readonly<Record<string, number>>;
  readonly steps: readonly StepDocument[];
  readonly warnings: readonly string[];
  /** One entry per node that was reached. */
  readonly transports: readonly TransportDocument[];
}

export interface StepDocument {
  readonly id: string;
  readonly kind: StepState["kind"];
  readonly group: string | null;
  readonly hook: string | null;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  readonly state: StepState["status"];
  readonly reason: string | null;
  readonly node: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  readonly outputs: Readonly<Record<string, JsonValue>>;
  readonly failure: FailureDocument | null;
  /** Run and node whose result was used again. */
  readonly reusedFrom: { readonly run: string; readonly node: string | null } | null;
  readonly attempts: readonly AttemptDocument[];
}

export interface AttemptDocument {
  readonly attempt: number;
  readonly result: AttemptState["result"];
  readonly node: string | null;
  readonly score: number | null;
  readonly passedOver: AttemptState["passedOver"];
  readonly job: string | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  readonly exitCode: number | null;
  readonly failure: FailureDocument | null;
  /** Wait before this attempt, as the attempt before it decided. */
  readonly delayMs: number;
  /** Wait before the next attempt; null where this was the last. */
  readonly retryInMs: number | null;
  /** Path relative to the run's folder; null where the attempt printed nothing. */
  readonly log: string | null;
  readonly syncs: readonly Detail<SyncFinished>[];
  readonly fetches: readonly Detail<FetchFinished>[];
  readonly batch: Detail<BatchProgressed> | null;
}

export interface FailureDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly node: string | null;
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
type Detail<E> = Omit<E, "type" | "at" | "step" | "attempt">;

export interface RunDocumentOptions {
  /** Path relative to the run's folder of what an attempt printed; null where that was nothing. */
  readonly logOf: (step: string, attempt: number) => string | null;
  readonly transports: readonly TransportDocument[];
}

export function runDocument(state: RunState, options: RunDocumentOptions): RunDocument {
  const steps = [...state.steps.values()];
  return {
    version: 1,
    gridVersion: state.gridVersion,
    run: state.run,
    pipeline: state.pipeline,
    file: state.file,
    project: state.project,
    inputs: state.inputs,
    resumes: state.resumes ?? null,
    ...timesOf(state),
    startedAt: iso(state.startedAt),
    result: state.result,
    exitCode: state.exitCode ?? null,
    firstFailure: state.firstFailure ?? null,
    counts: countsOf(steps),
    steps: steps.map((step) => stepDocument(step, options)),
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

function countsOf(steps: readonly StepState[]): Readonly<Record<string, number>> {
  const counts = STATES.map((state) =>
    [state, steps.filter((step) => step.status === state).length] as const
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function stepDocument(step: StepState, { logOf }: RunDocumentOptions): StepDocument {
  const from = step.reusedFrom;
  return {
    id: step.id,
    kind: step.kind,
    group: step.group ?? null,
    hook: step.hook ?? null,
    needs: step.needs,
    after: step.after,
    state: step.status,
    reason: step.reason ?? null,
    node: step.node ?? null,
    ...timesOf(step),
    outputs: step.outputs,
    failure: failureDocument(step.failure),
    reusedFrom: from ? { run: from.run, node: from.node ?? null } : null,
    attempts: step.attempts.map((attempt, at) => ({
      ...attemptDocument(attempt, step.attempts[at - 1]),
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
    score: attempt.score ?? null,
    passedOver: attempt.passedOver,
    job: attempt.job ?? null,
    ...timesOf(attempt),
    startedAt: iso(attempt.startedAt),
    exitCode: attempt.exitCode ?? null,
    failure: failureDocument(attempt.failure),
    delayMs: before?.retryInMs ?? 0,
    retryInMs: attempt.retryInMs ?? null,
    syncs: attempt.syncs.map(detail),
    fetches: attempt.fetches.map(detail),
    batch: attempt.batch ? detail(attempt.batch) : null,
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
    exitCode: failure.exitCode ?? null,
    signal: failure.signal ?? null,
    started: failure.started,
  };
}

interface Times {
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
}

function timesOf({ startedAt, finishedAt }: Times) {
  const isOver = startedAt !== undefined && finishedAt !== undefined;
  return {
    startedAt: startedAt === undefined ? null : iso(startedAt),
    finishedAt: finishedAt === undefined ? null : iso(finishedAt),
    durationMs: isOver ? finishedAt - startedAt : null,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
