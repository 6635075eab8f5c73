import { GridError } from "../core/errors.ts";
import { distinctName } from "../core/file_names.ts";
import { getLogger } from "../core/log.ts";
import { own } from "../core/own.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { RayConfig } from "../cluster/config.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { StepHost, StepKind, StepOutcome, StepRequest } from "../engine/ports.ts";
import type { RayBatchAction } from "../pipeline/pipeline.ts";
import type { BatchOutcome, BatchRunner, BatchSpec, BatchStart } from "../ray/batch.ts";
import { createBatchRunner } from "../ray/runner.ts";
import { type JobPlace, placeJob } from "./gpu_claim.ts";
import { commonDataEnv } from "./data_paths.ts";
import { resolveNode, stepFolder } from "./placement.ts";
import { BatchOutputs } from "./ray_outputs.ts";
import { readTasks } from "./ray_tasks.ts";
import type { RunTrees } from "./run_trees.ts";
import { TreeGate } from "./tree_gate.ts";

export interface RayBatchDeps {
  readonly cluster: Cluster;
  readonly config: RayConfig;
  /** How long a batch outlives its runner, unless it is detached; default 5 minutes. */
  readonly leaseMs?: number;
  /** Absolute folder that the file of tasks is relative to. */
  readonly project: string;
  /** Absent: no code is proved to be the run's. */
  readonly trees?: RunTrees | undefined;
  /** Default: the runner of the configured mode. */
  readonly runner?: BatchRunner;
}

type BatchRequest = StepRequest<RayBatchAction<string>>;

/** Fans a list of tasks out in batches; the outputs are `results`, `errors`, `total`, `failed` and `file`. */
export function createRayBatchStep(deps: RayBatchDeps): StepKind<"ray-batch"> & AsyncDisposable {
  const own = createBatchRunner(deps.config);
  const runner = deps.runner ?? own;
  const over = new AbortController();
  const preparing: Promise<void>[] = [];
  return {
    kind: "ray-batch",
    prepare: (request) => {
      const prepared = prepareBatch(request, { ...deps, runner, signal: over.signal });
      // The step itself will come upon the same, and tell it.
      preparing.push(prepared.catch((error) => getLogger("ray").debug(`not prepared: ${error}`)));
    },
    run: (request, host) => runBatch(request, host, { ...deps, runner }),
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await Promise.all(preparing);
      await own[Symbol.asyncDispose]();
    },
  };
}

interface PrepareDeps extends RayBatchDeps {
  readonly runner: BatchRunner;
  readonly signal: AbortSignal;
}

async function prepareBatch(request: BatchRequest, deps: PrepareDeps): Promise<void> {
  const { runner, cluster, leaseMs, signal } = deps;
  if (runner.prepare === undefined) return;
  const head = await cluster.open(headName(deps), { signal });
  signal.throwIfAborted();
  await runner.prepare(head, batchStart(request, { leaseMs, prelude: "" }));
}

async function runBatch(
  request: BatchRequest,
  host: StepHost,
  deps: RayBatchDeps & { readonly runner: BatchRunner },
): Promise<StepOutcome> {
  const { runner } = deps;
  const tasks = await readTasks(request.action.tasks, deps.project);
  const { node: head, prelude } = await openHead(request, host, deps);
  const gate = new TreeGate(head, { request, trees: deps.trees });
  const denied = request.resumeJob ? undefined : await gate.check(host.signal);
  if (denied) throw denied;
  using outcomes = new BatchOutputs(host);
  const outcome = await runner.run(
    head,
    batchSpec(request, { head, tasks, leaseMs: deps.leaseMs, prelude }),
    {
      signal: host.signal,
      output: (stream, bytes) => host.output(stream, bytes),
      outcomes,
      progress: (counts) => host.note({ type: "batch.progressed", ...counts, mode: runner.mode }),
      jobStarted: (job) =>
        host.note({ type: "job.started", folder: stepFolder(request, head), ...job }),
    },
  );
  if (outcome.failed > request.action.maxFailures) throw tooManyFailed(outcome, head);
  const unfit = request.cache ? (await gate.check(host.signal))?.message : undefined;
  return {
    status: "succeeded",
    ...outcomes.of(outcome),
    ...(unfit !== undefined && { unfit }),
  };
}

/** Managed Ray places the batches itself and its driver belongs on the head; else the step's node. */
async function openHead(
  request: BatchRequest,
  host: StepHost,
  { cluster, config, runner }: RayBatchDeps & { readonly runner: BatchRunner },
): Promise<JobPlace> {
  // Without Ray the batches get exactly the GPUs that the step has claimed.
  if (runner.mode === "embedded") return await placeJob(request, host, cluster);
  if (runner.mode === "existing") {
    return { node: await resolveNode(request, host, cluster), prelude: "" };
  }
  const node = { kind: "named", name: headName({ cluster, config }) } as const;
  return { node: await resolveNode({ ...request, node }, host, cluster), prelude: "" };
}

function headName({ cluster, config }: Pick<RayBatchDeps, "cluster" | "config">): string {
  return config.head ?? cluster.nodes[0]?.name ?? "local";
}

interface StartContext {
  readonly leaseMs: number | undefined;
  readonly prelude: string;
}

interface SpecContext extends StartContext {
  readonly head: OpenNode;
  readonly tasks: readonly string[];
}

/** What is known of it before its code is on the node. */
function batchStart(request: BatchRequest, { leaseMs, prelude }: StartContext): BatchStart {
  return {
    ...batchNames(request),
    prelude,
    env: {
      ...commonDataEnv(request.data),
      ...request.env,
      GRID_RUN_ID: request.run,
      GRID_STEP: request.step,
      GRID_ATTEMPT: String(request.attempt),
    },
    secrets: request.secrets,
    detach: request.detach,
    ...(leaseMs !== undefined && { leaseMs }),
  };
}

function batchSpec(
  request: BatchRequest,
  { head, tasks, ...start }: SpecContext,
): BatchSpec {
  const { action } = request;
  return {
    ...batchStart(request, start),
    mayRun: request.resumeJob !== undefined,
    code: own(request.trees ?? {}, head.node.name)?.digest,
    identityEnv: request.env,
    target: action.target,
    tasks,
    batchSize: action.batchSize,
    gpusPerBatch: action.gpusPerBatch,
    cpusPerBatch: action.cpusPerBatch,
    maxFailures: action.maxFailures,
    setup: action.setup,
    stopsOnFailure: action.stopsOnFailure ?? false,
    itemTimeoutMs: action.itemTimeoutMs,
    itemRetries: action.itemRetries ?? 0,
    itemRetryOn: action.itemRetryOn ?? [],
    maxInFlight: action.maxInFlight,
    cwd: stepFolder(request, head),
    killGraceMs: request.killGraceMs,
  };
}

/** Two steps, cells or attempts never share a name, however they are spelled. */
export function batchNames(
  { run, pipeline, step, attempt, resumeJob }: Pick<
    StepRequest,
    "run" | "pipeline" | "step" | "attempt" | "resumeJob"
  >,
): Pick<BatchSpec, "id" | "resultsKey"> {
  const id = resumeJob?.job ?? `${distinctName([run, step], { dots: false })}-${attempt}`;
  return { id, resultsKey: distinctName([pipeline, step]) };
}

function tooManyFailed({ total, failed, firstFailure }: BatchOutcome, head: OpenNode): GridError {
  const { index = 0, error = "" } = firstFailure ?? {};
  return new GridError({
    code: "step-failed",
    message: `Cannot finish the batch: ${failed} of ${total} tasks failed, ` +
      `first task ${index}: ${error.split("\n")[0]}`,
    hint: "A retry repeats only the failed tasks; `max-failures` tolerates some",
    node: head.node.name,
  });
}
