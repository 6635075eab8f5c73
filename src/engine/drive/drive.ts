/** A run from its first event to its last: its turn in the group, the graph, the hooks. */
import { GridError } from "../../core/errors.ts";
import { evaluateText } from "../../expression/evaluate.ts";
import type { Pipeline, Step } from "../../pipeline/pipeline.ts";
import { awaitTurn, takeTurn, type Turn, type TurnOptions } from "./concurrency.ts";
import type { RunFinished, RunResult, RunStarted } from "../event.ts";
import { stopError } from "../failure.ts";
import { GraphRun } from "./graph_run.ts";
import { hookMoments, hookStep } from "./hooks.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { Limits } from "../attempt/limits.ts";
import type { Registration } from "./registration.ts";
import type { EnginePorts } from "../ports.ts";
import { startedEvent } from "./announcement.ts";
import { runExitCode, runResult, type RunSummary } from "./result.ts";
import type { SchedulerOptions } from "../schedule/scheduler.ts";
import type { ResumeFrom } from "../resume/known_results.ts";

/** For clean-up steps and hooks of a run that was told to stop. */
const CLEANUP_MS = 5 * 60_000;

export interface DriveOptions {
  readonly pipeline: Pipeline;
  readonly ports: EnginePorts;
  readonly ledger: Ledger;
  readonly registration: Registration;
  /** The wish to stop. */
  readonly stop: AbortSignal;
  readonly started: Pick<
    RunStarted,
    "run" | "project" | "gridVersion" | "resumes" | "again" | "env" | "by"
  >;
  readonly secrets: Readonly<Record<string, string>>;
  readonly limits: SchedulerOptions;
  /** Where a command failed by itself, its own code is that of the run. */
  readonly passThrough: boolean;
  readonly hashFiles: (patterns: readonly string[]) => string;
  readonly hashInputs?: ((patterns: readonly string[]) => string) | undefined;
  /** Steps that were asked for; undefined means all. */
  readonly chosen: ReadonlySet<string> | undefined;
  readonly resume: ResumeFrom | undefined;
}

interface Drive extends DriveOptions {
  /** Counts the time that is left for cleaning up once `stop` fired. */
  readonly cleanup: Limits;
  /** Each settles once a command that stayed is over. */
  readonly staying: Promise<void>[];
}

export async function drive(options: DriveOptions): Promise<void> {
  const { pipeline, ports, ledger, stop } = options;
  const turn = askForTurn(options);
  using cleanup = new Limits(ports.clock, new AbortController().signal);
  const onStop = () => cleanup.allow(CLEANUP_MS, cleanupError);
  if (stop.aborted) onStop();
  else stop.addEventListener("abort", onStop, { once: true });
  try {
    const context: Drive = { ...options, cleanup, staying: [] };
    ledger.emit(startedEvent(pipeline, { started: options.started, at: ledger.now }));
    // A run that cannot be journaled does nothing.
    ledger.flush();
    const skipped = await waitForTurn(turn, context);
    if (skipped === undefined) {
      await runGraph(pipeline.steps, context);
      await runHooks(context);
      await clearUp(context);
    }
    ledger.emit({ ...finishedEvent(context), ...(skipped === undefined ? {} : { skipped }) });
  } finally {
    stop.removeEventListener("abort", onStop);
    ledger.flush();
  }
}

interface AskedTurn {
  readonly turn: Turn;
  readonly options: TurnOptions;
}

/** @throws {GridError} `conflict` where the group is full and `on-conflict` is `fail` */
function askForTurn({ pipeline, ports, ledger, started }: DriveOptions): AskedTurn | undefined {
  const { concurrency } = pipeline;
  const { registry } = ports;
  if (!concurrency || !registry) return undefined;
  const group = evaluateText(concurrency.group, ledger.scopes.inside(""));
  const options = { run: started.run, group, concurrency, registry };
  return { turn: takeTurn(options), options };
}

/** Why the run does nothing, because another one is there; undefined where its turn has come. */
async function waitForTurn(
  asked: AskedTurn | undefined,
  context: Drive,
): Promise<string | undefined> {
  if (!asked) return undefined;
  const { ledger, pipeline, ports, stop } = context;
  const { turn, options } = asked;
  switch (turn.kind) {
    case "go":
      return undefined;
    case "skip": {
      const skipped = { state: "skipped", reason: turn.reason, outputs: {} } as const;
      const hooks = Object.values(pipeline.hooks).flat();
      for (const step of pipeline.steps) ledger.finish(step, skipped);
      for (const hook of hooks) ledger.finish(hook, { ...skipped, uncalled: true });
      return turn.reason;
    }
    case "wait": {
      const message = `waits in concurrency group "${options.group}" for ${turn.ahead.join(", ")}`;
      const queue = { group: options.group, ahead: turn.ahead };
      ledger.emit({ type: "warned", at: ledger.now, message, queue });
      ledger.flush();
      try {
        await awaitTurn(options, { clock: ports.clock, signal: stop });
      } catch (thrown) {
        // The graph then ends every step as cancelled, each with the reason.
        if (!stop.aborted) throw thrown;
      }
      return undefined;
    }
  }
}

interface HookContext extends Drive {
  /** How the run stands when the hooks begin. */
  readonly after: RunResult;
}

function runGraph(steps: readonly Step[], context: Drive | HookContext): Promise<void> {
  const { ports, ledger, stop, cleanup, started, pipeline, secrets } = context;
  const after = "after" in context ? context.after : undefined;
  const isHook = after !== undefined;
  const run = new GraphRun(steps, {
    ports,
    ledger,
    stop,
    after,
    staying: context.staying,
    cleanup: cleanup.signal,
    // One hook after the other, in the order they are written, each to its end.
    limits: isHook ? { maxParallel: 1, failFast: false } : context.limits,
    chosen: isHook ? undefined : context.chosen,
    resume: isHook ? undefined : context.resume,
    hashFiles: context.hashFiles,
    hashInputs: context.hashInputs,
    request: {
      run: started.run,
      pipeline: pipeline.name,
      secrets,
      steps: new Map(pipeline.steps.map((step) => [step.id, step])),
    },
  });
  return run.finished();
}

async function runHooks(context: Drive): Promise<void> {
  const { pipeline, ledger } = context;
  for (const { moment, runs, reason } of hookMoments(summaryOf(context))) {
    const after = runResult(summaryOf(context));
    const steps = pipeline.hooks[moment]
      .map((step) => hookStep(step, { result: after, firstFailure: ledger.firstFailure?.step }));
    if (steps.length === 0) continue;
    if (runs) {
      await runGraph(steps, { ...context, after });
      continue;
    }
    const skipped = { state: "skipped", reason, uncalled: true, outputs: {} } as const;
    for (const step of steps) ledger.finish(step, skipped);
  }
}

/** Last of all: hooks may use what steps left for them. */
async function clearUp({ ports, ledger, staying }: Drive): Promise<void> {
  for (const { step, message } of await ports.clearUp?.() ?? []) {
    const about = step === undefined ? {} : { step };
    ledger.emit({ type: "warned", at: ledger.now, ...about, message });
  }
  await Promise.all(staying);
}

function summaryOf({ ledger, stop }: DriveOptions): RunSummary {
  return {
    results: [...ledger.results.values()],
    firstFailure: ledger.firstFailure?.failure,
    interrupted: stop.aborted ? stopError(stop.reason).exitCode : undefined,
  };
}

function finishedEvent(context: Drive): RunFinished {
  const summary = summaryOf(context);
  const first = context.ledger.firstFailure?.step;
  return {
    type: "run.finished",
    at: context.ledger.now,
    state: runResult(summary),
    ...(first === undefined ? {} : { firstFailure: first }),
    exitCode: runExitCode(summary, context),
    durationMs: context.ledger.elapsedMs,
  };
}

function cleanupError(): GridError {
  return new GridError({
    code: "timed-out",
    message: "Cannot finish cleaning up: the run was told to stop 5 minutes ago",
  });
}
