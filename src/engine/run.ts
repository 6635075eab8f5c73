/** Runs a pipeline as a stream of events. Each is masked, made durable, and only then yielded. */
import { GridError } from "../core/errors.ts";
import type { HookMoment, Pipeline, Step } from "../pipeline/pipeline.ts";
import { chooseSteps } from "./choice.ts";
import type { Event, RunResult, StepOutline } from "./event.ts";
import { EventQueue } from "./event_queue.ts";
import { stopError } from "./failure.ts";
import { GraphRun } from "./graph_run.ts";
import { hookMoments, hookStep } from "./hooks.ts";
import { Ledger } from "./ledger.ts";
import { Limits } from "./limits.ts";
import type { EnginePorts } from "./ports.ts";
import { runExitCode, runResult, type RunSummary } from "./result.ts";

export interface RunOptions {
  readonly run: string;
  /** Absolute folder that relative paths start in. */
  readonly project: string;
  /** Cancels the run: steps are ended, clean-up steps and hooks still run, within bounds. */
  readonly signal: AbortSignal;
  /** Values by the names that `Pipeline.secrets` declares. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What `env()` sees. */
  readonly env: Readonly<Record<string, string>>;
  readonly gridVersion: string;
  /** Steps at the same time. Default: 256. */
  readonly maxParallel?: number;
  /** The first failure ends everything else. */
  readonly failFast?: boolean;
  /** Run this step and all that come after it; the others are skipped. */
  readonly from?: string;
  /** Run this step alone. */
  readonly only?: string;
  /** Content hash of the files that match, for `hashFiles()`. */
  readonly hashFiles?: (patterns: readonly string[]) => string;
}

const DEFAULT_MAX_PARALLEL = 256;
/** For clean-up steps and hooks of a run that was told to stop. */
const CLEANUP_MS = 5 * 60_000;

/**
 * Runs `pipeline` to its end. A reader that leaves early cancels the run and waits for its end.
 *
 * @throws {GridError} `usage` for a `from` or `only` that names no step; what the journal throws
 */
export async function* runPipeline(
  pipeline: Pipeline,
  ports: EnginePorts,
  options: RunOptions,
): AsyncGenerator<Event, void, void> {
  const chosen = chooseSteps(pipeline.steps, options);
  const queue = new EventQueue<Event>();
  const left = new AbortController();
  const stop = AbortSignal.any([options.signal, left.signal]);
  const ledger = new Ledger(pipeline, {
    ports,
    run: options.run,
    env: options.env,
    hashFiles: options.hashFiles ?? noHashFiles,
    publish: (event) => queue.push(event),
  });
  const running = drive({ pipeline, ports, options, ledger, chosen, stop })
    .finally(() => queue.close());
  // Awaited below; a failure must not surface before the events that led to it were read.
  running.catch(() => undefined);
  try {
    yield* queue;
  } finally {
    left.abort(new GridError({ code: "interrupted", message: "the reader of the run went away" }));
    await running;
  }
}

interface Drive {
  readonly pipeline: Pipeline;
  readonly ports: EnginePorts;
  readonly options: RunOptions;
  readonly ledger: Ledger;
  readonly chosen: ReadonlySet<string> | undefined;
  readonly stop: AbortSignal;
}

async function drive(context: Drive): Promise<void> {
  const { pipeline, ports, options, ledger, stop } = context;
  using cleanup = new Limits(ports.clock, new AbortController().signal);
  const onStop = () => cleanup.allow(CLEANUP_MS, cleanupError);
  if (stop.aborted) onStop();
  else stop.addEventListener("abort", onStop, { once: true });
  try {
    ledger.emit(startedEvent(context));
    const limits = {
      maxParallel: options.maxParallel ?? DEFAULT_MAX_PARALLEL,
      failFast: options.failFast ?? false,
    };
    await graph(pipeline.steps, { ...context, cleanup, limits });
    await runHooks({ ...context, cleanup });
    ledger.emit(finishedEvent(context));
  } finally {
    stop.removeEventListener("abort", onStop);
  }
}

interface GraphContext extends Drive {
  readonly cleanup: Limits;
  readonly limits: { readonly maxParallel: number; readonly failFast: boolean };
  /** Set for hooks: how the run stands when they begin. */
  readonly after?: RunResult;
}

function graph(steps: readonly Step[], context: GraphContext): Promise<void> {
  const { ports, options, ledger, stop, cleanup, limits, after } = context;
  const run = new GraphRun(steps, {
    ports,
    ledger,
    limits,
    stop,
    cleanup: cleanup.signal,
    chosen: after === undefined ? context.chosen : undefined,
    after,
    request: {
      run: options.run,
      pipeline: context.pipeline.name,
      secrets: options.secrets,
    },
  });
  return run.finished();
}

async function runHooks(context: Drive & { readonly cleanup: Limits }): Promise<void> {
  const { pipeline, ledger } = context;
  for (const { moment, runs, reason } of hookMoments(summaryOf(context))) {
    const after = runResult(summaryOf(context));
    const steps = pipeline.hooks[moment]
      .map((step) => hookStep(step, { result: after, firstFailure: ledger.firstFailure?.step }));
    if (steps.length === 0) continue;
    if (!runs) {
      for (const step of steps) ledger.finish(step, { state: "skipped", reason, outputs: {} });
      continue;
    }
    // One after the other, in the order they are written.
    await graph(steps, { ...context, after, limits: { maxParallel: 1, failFast: false } });
  }
}

function summaryOf({ ledger, stop }: Drive): RunSummary {
  return {
    results: [...ledger.results.values()],
    firstFailure: ledger.firstFailure?.failure,
    interrupted: stop.aborted ? stopError(stop.reason).exitCode : undefined,
  };
}

function startedEvent({ pipeline, options, ledger }: Drive): Event {
  const hooks = (["success", "failure", "exit"] as const)
    .flatMap((hook) => pipeline.hooks[hook].map((step) => outline(step, hook)));
  return {
    type: "run.started",
    at: ledger.now,
    run: options.run,
    pipeline: pipeline.name,
    file: pipeline.file,
    project: options.project,
    inputs: pipeline.inputs,
    steps: [...pipeline.steps.map((step) => outline(step)), ...hooks],
    gridVersion: options.gridVersion,
  };
}

function outline(step: Step, hook?: HookMoment): StepOutline {
  return {
    id: step.id,
    kind: step.action.kind,
    needs: step.needs,
    after: step.after,
    ...(step.group === undefined ? {} : { group: step.group }),
    ...(hook === undefined ? {} : { hook }),
  };
}

function finishedEvent(context: Drive): Event {
  const summary = summaryOf(context);
  const first = context.ledger.firstFailure?.step;
  return {
    type: "run.finished",
    at: context.ledger.now,
    state: runResult(summary),
    ...(first === undefined ? {} : { firstFailure: first }),
    exitCode: runExitCode(summary),
  };
}

function cleanupError(): GridError {
  return new GridError({
    code: "timed-out",
    message: "Cannot finish cleaning up: the run was told to stop 5 minutes ago",
  });
}

function noHashFiles(): never {
  throw new GridError({
    code: "usage",
    message: "Cannot evaluate hashFiles(): this run was started without access to files",
  });
}
