/** Runs a pipeline as a stream of events. Each is masked, made durable, and only then yielded. */
import { envNames } from "../pipeline/env_names.ts";
import { envSeen } from "./resume/earlier_env.ts";
import { GridError } from "../core/errors.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { chooseSteps, withSyncs } from "./schedule/choice.ts";
import { drive } from "./drive/drive.ts";
import type { Event, Runner } from "./event.ts";
import { EventQueue } from "./ledger/event_queue.ts";
import { Ledger } from "./ledger/ledger.ts";
import { enterRegistry } from "./drive/registration.ts";
import type { EnginePorts } from "./ports.ts";
import type { RunState } from "./reduce.ts";

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
  /** Who runs it, and where. */
  readonly by?: Runner;
  /** Steps at the same time. Default: 256. */
  readonly maxParallel?: number;
  /** The first failure ends everything else. */
  readonly failFast?: boolean;
  /** Where a command failed by itself, its own code is that of the run. Default: false. */
  readonly passThrough?: boolean;
  /** Run this step and all that come after it; the others are skipped. */
  readonly from?: string;
  /** Run this step alone. */
  readonly only?: string;
  /** Content hash of the files that match, for `hashFiles()`. */
  readonly hashFiles?: (patterns: readonly string[]) => string;
  /** The same for what steps depend on: as it was synced, where it was. Default: `hashFiles`. */
  readonly hashInputs?: (patterns: readonly string[]) => string;
  /**
   * Go on from this run, folded from its journal: what finished and did not change is used again,
   * what still runs is attached to, the rest is done. With `from`, that step and what comes after
   * it is done again; with `only`, nothing else is.
   */
  readonly resume?: RunState;
}

const DEFAULT_MAX_PARALLEL = 256;

/**
 * Runs `pipeline` to its end. A reader that leaves early cancels the run and waits for its end.
 *
 * @throws {GridError} `usage` for a `from` or `only` that names no step; `conflict` where
 * `concurrency` says `fail`, or where the run to resume still runs; what the journal throws
 */
export async function* runPipeline(
  pipeline: Pipeline,
  ports: EnginePorts,
  options: RunOptions,
): AsyncGenerator<Event, void, void> {
  const { run, resume, maxParallel = DEFAULT_MAX_PARALLEL, failFast = false } = options;
  const { hashFiles = noHashFiles } = options;
  const asked = chooseSteps(pipeline.steps, options);
  const isRedo = resume !== undefined && options.only === undefined;
  using registration = enterRegistry({ run, ports, resumes: resume?.run });
  const queue = new EventQueue<Event>();
  const left = new AbortController();
  const ledger = new Ledger(pipeline, {
    ports,
    run,
    env: options.env,
    hashFiles,
    publish: (event) => queue.push(event),
  });
  const seen = envSeen(envNames(pipeline), options.env);
  const running = drive({
    pipeline,
    ports,
    ledger,
    registration,
    stop: AbortSignal.any([options.signal, left.signal, registration.signal]),
    started: {
      run,
      project: options.project,
      gridVersion: options.gridVersion,
      ...(options.by && { by: options.by }),
      ...(Object.keys(seen).length > 0 && { env: seen }),
      ...(resume && { resumes: resume.run, ...(asked && { again: [...asked] }) }),
    },
    secrets: options.secrets,
    limits: { maxParallel, failFast },
    passThrough: options.passThrough ?? false,
    hashFiles,
    hashInputs: options.hashInputs,
    // A resumed run is about all steps; `from` says which of them are done again.
    chosen: isRedo ? undefined : asked && withSyncs(pipeline.steps, asked),
    resume: resume && { state: resume, forced: asked ?? new Set(), stands: asked !== undefined },
  }).finally(() => queue.close());
  // Awaited below; a failure must not surface before the events that led to it were read.
  running.catch(() => undefined);
  try {
    yield* queue;
  } finally {
    left.abort(new GridError({ code: "interrupted", message: "the reader of the run went away" }));
    await running;
  }
}

function noHashFiles(): never {
  throw new GridError({
    code: "usage",
    message: "Cannot evaluate hashFiles(): this run was started without access to files",
  });
}
