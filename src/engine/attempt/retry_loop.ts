/** A step from its first attempt to its last: retries, the waits between them, the total limit. */
import { DEFAULT_RETRY } from "../../pipeline/policy.ts";
import { retryDelay } from "../../core/backoff.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import { type AttemptEnd, runAttempt, stoppedResult } from "./attempt.ts";
import type { Event } from "../event.ts";
import { failureOf, stopError } from "../failure.ts";
import { limitError, Limits } from "./limits.ts";
import type { EnginePorts, StepRequest } from "../ports.ts";
import type { ResumeJob } from "../resume_job.ts";
import { isRetryable, whyNot } from "./retry.ts";

export interface AttemptsOptions {
  readonly step: Step;
  readonly ports: EnginePorts;
  /** Fires on cancel and on fail-fast. */
  readonly signal: AbortSignal;
  /** When the run began, on the monotonic clock. */
  readonly runBegan: number;
  readonly emit: (event: Event) => void;
  readonly request: (attempt: AttemptParts) => StepRequest;
  /** A job of an earlier run that is this step's attempt `attempt`. */
  readonly resume?: ResumeJob & { readonly attempt: number };
}

export interface AttemptParts {
  readonly attempt: number;
  readonly avoidNodes: readonly string[];
  readonly resumeJob: StepRequest["resumeJob"];
}

/** Runs the step until it succeeds or the policy gives up. */
export async function retryLoop(options: AttemptsOptions): Promise<AttemptEnd> {
  const { step, ports, emit, resume } = options;
  using limits = new Limits(ports.clock, options.signal);
  const deadline = totalDeadline(step, { ports, limits });
  const failedOn: string[] = [];
  for (let attempt = resume?.attempt ?? 1;; attempt++) {
    const { clock } = ports;
    const began = clock.monotonic();
    const afterMs = Math.round(began - options.runBegan);
    emit({ type: "attempt.started", at: clock.now(), step: step.id, attempt, afterMs });
    const resumeJob = resume?.attempt === attempt ? resume : undefined;
    const end = await runAttempt({
      step,
      attempt,
      ports,
      emit,
      signal: limits.signal,
      request: () =>
        options.request({
          attempt,
          avoidNodes: step.retry.avoidNode ? [...failedOn] : [],
          resumeJob: resumeJob && jobOf(resumeJob),
        }),
    });
    const { retryInMs, notRetried } = retryOf(end, { step, attempt, ports, deadline, limits });
    const durationMs = Math.round(clock.monotonic() - began);
    const more = { at: clock.now(), durationMs, retryInMs, notRetried };
    emit(finishedEvent(end, { step, attempt, ...more }));
    if (retryInMs === undefined) return end;
    // Of many nodes it is the one that failed.
    const where = end.failure?.node ?? end.node;
    if (where !== undefined && !failedOn.includes(where)) failedOn.push(where);
    const stop = await waitOut(retryInMs, { ports, limits });
    if (stop) return { ...end, ...stop, outputs: {} };
  }
}

/** When all attempts must be over, on the monotonic clock. */
function totalDeadline(
  step: Step,
  { ports, limits }: { readonly ports: EnginePorts; readonly limits: Limits },
): number {
  const { totalMs } = step.timeout;
  if (totalMs === undefined) return Number.POSITIVE_INFINITY;
  limits.allow(totalMs, () => limitError(step, "total", totalMs));
  return ports.clock.monotonic() + totalMs;
}

interface RetryQuestion {
  readonly step: Step;
  readonly attempt: number;
  readonly ports: EnginePorts;
  readonly deadline: number;
  readonly limits: Limits;
}

/** Milliseconds to wait for the next attempt, or why this was the last. */
function retryOf(
  end: AttemptEnd,
  { step, attempt, ports, deadline, limits }: RetryQuestion,
): { readonly retryInMs?: number; readonly notRetried?: string } {
  if (end.failure === undefined || limits.signal.aborted) return {};
  const { retry } = step;
  if (!isRetryable(retry, end.failure)) {
    // Nobody who wrote no `retry` wonders why there was none.
    return retry === DEFAULT_RETRY ? {} : { notRetried: whyNot(retry, end.failure) };
  }
  if (attempt > retry.max) {
    return attempt === 1 ? {} : {
      notRetried: `${attempt} attempts were allowed`,
    };
  }
  const wait = retryDelay(retry, { retry: attempt, random: ports.random });
  // A retry that the total limit would cut off before it begins is no retry.
  return ports.clock.monotonic() + wait < deadline
    ? { retryInMs: wait }
    : { notRetried: "its total limit would end before" };
}

function finishedEvent(
  end: AttemptEnd,
  { step, attempt, at, durationMs, retryInMs, notRetried }: {
    readonly step: Step;
    readonly attempt: number;
    readonly at: number;
    readonly durationMs: number;
    readonly retryInMs: number | undefined;
    readonly notRetried: string | undefined;
  },
): Event {
  return {
    type: "attempt.finished",
    at,
    step: step.id,
    attempt,
    result: end.result,
    ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
    ...(end.failure === undefined ? {} : { failure: end.failure }),
    ...(retryInMs === undefined ? {} : { retryInMs }),
    ...(notRetried === undefined ? {} : { notRetried }),
    ...(end.maskedLines === undefined ? {} : { maskedLines: end.maskedLines }),
    ...(end.unkeptBytes === undefined ? {} : { unkeptBytes: end.unkeptBytes }),
    ...(end.usage === undefined ? {} : { usage: end.usage }),
    ...(end.image === undefined ? {} : { image: end.image }),
    durationMs,
  };
}

/** Waits on the clock; returns how the step ended where it was stopped meanwhile. */
async function waitOut(
  ms: number,
  { ports, limits }: { readonly ports: EnginePorts; readonly limits: Limits },
): Promise<Pick<AttemptEnd, "result" | "failure"> | undefined> {
  try {
    await ports.clock.sleep(ms, { signal: limits.signal });
    return undefined;
  } catch (thrown) {
    if (!limits.signal.aborted) throw thrown;
    const error = stopError(limits.signal.reason);
    return { result: stoppedResult(error), failure: failureOf(error, { started: false }) };
  }
}

function jobOf({ node, job, ranks }: ResumeJob): ResumeJob {
  return { node, job, ...(ranks && { ranks }) };
}
