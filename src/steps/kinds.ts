/** Every kind of step; what one needs is loaded when the first step of its kind starts. */
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import type { ClusterConfig } from "../cluster/config.ts";
import { lazy } from "../core/lazy.ts";
import type { StepKind, StepKinds, SurvivorNote } from "../engine/ports.ts";
import type { RunState } from "../engine/reduce.ts";
import type { InputSource } from "../transport/job/input_supply.ts";
import { projectIdentity, rememberProject } from "../sync/project_identity.ts";
import type { FileSums } from "./file_sums.ts";
import { openRunTrees } from "./run_trees.ts";

export interface StepKindsOptions {
  readonly cluster: Cluster;
  readonly config: ClusterConfig;
  /** Absolute. */
  readonly project: string;
  /** How many `run` steps there are. */
  readonly commands: number;
  /** By secret: what is masked in one that is JSON. */
  readonly masks?: Readonly<Record<string, readonly string[]>>;
  /** What the one command reads. */
  readonly input?: InputSource | undefined;
  readonly run: string;
  /** Absolute folder of the code; mostly the project. */
  readonly code?: string;
  /** Of files of this machine that steps depend on. */
  readonly sums?: FileSums | undefined;
  /** The run that this one goes on from. */
  readonly resume?: RunState | undefined;
}

export interface RunKinds extends StepKinds, AsyncDisposable {
  /** One hash of the files that match, as this run synced them. */
  hashInputs(patterns: readonly string[]): string;
  /** Ends what commands left running. */
  clearUp(): Promise<readonly SurvivorNote[]>;
  /** The end of the run is near: removes what ended jobs left on their nodes. */
  settle(): void;
}

/** Dispose them after the run: only then the last jobs' files go. */
export function createStepKinds(options: StepKindsOptions): RunKinds {
  const { cluster, config, project, commands, masks = {}, code = project } = options;
  rememberProject(projectIdentity(project));
  const trees = openRunTrees({ ...options, leaseMs: config.jobs.leaseMs });
  const run = once(async () => {
    const { createRunStep } = await lazy<typeof import("./run.ts")>("./run.ts", import.meta.url);
    const input = options.input && await openInput(options.input);
    return createRunStep({ cluster, leaseMs: config.jobs.leaseMs, commands, masks, input, trees });
  });
  const batch = once(async () => {
    const { createRayBatchStep } = await lazy<typeof import("./ray_batch.ts")>(
      "./ray_batch.ts",
      import.meta.url,
    );
    const { leaseMs } = config.jobs;
    return createRayBatchStep({ cluster, config: config.ray, leaseMs, project: code, trees });
  });
  return {
    "sync": onDemand("sync", async () => {
      const { createSyncStep } = await lazy<typeof import("./sync.ts")>(
        "./sync.ts",
        import.meta.url,
      );
      return createSyncStep({
        cluster,
        config: config.sync,
        project: code,
        cacheFolder: join(project, ".grid", "cache"),
        trees,
      });
    }),
    "data": onDemand("data", async () => {
      const { createDataStep } = await lazy<typeof import("./data.ts")>(
        "./data.ts",
        import.meta.url,
      );
      return createDataStep({
        cluster,
        config: config.sync,
        project,
        code,
        cacheFolder: join(project, ".grid", "cache"),
        owner: trees.run.owner,
        id: trees.run.project,
      });
    }),
    "select-node": onDemand("select-node", async () => {
      const { createSelectNodeStep } = await lazy<typeof import("./select_node.ts")>(
        "./select_node.ts",
        import.meta.url,
      );
      return createSelectNodeStep({ cluster });
    }),
    "run": onDemand("run", run.get),
    "ray-batch": {
      ...onDemand("ray-batch", batch.get),
      // Where batches bring no Ray of Grid's, there is nothing worth it.
      ...(config.ray.mode === "managed" && {
        prepare: (request) => void batch.get().then((step) => step.prepare?.(request), () => {}),
      }),
    },
    "fetch": onDemand("fetch", async () => {
      const { createFetchStep } = await lazy<typeof import("./fetch.ts")>(
        "./fetch.ts",
        import.meta.url,
      );
      return createFetchStep({ cluster, project, trees });
    }),
    hashInputs: (patterns) => trees.files.hash(patterns, code),
    clearUp: async () => await (await run.made())?.clearUp() ?? [],
    // A run step that cannot be made has failed whoever asked for it.
    settle: () => void run.made()?.then((step) => step.settle(), () => {}),
    async [Symbol.asyncDispose]() {
      await (await run.made())?.[Symbol.asyncDispose]();
      const batches = async () => await (await batch.made())?.[Symbol.asyncDispose]();
      // Nothing works in them any more: each is a way to the nodes and back.
      await Promise.all([batches(), trees[Symbol.asyncDispose]()]);
    },
  };
}

async function openInput(source: InputSource) {
  const { JobInput } = await lazy<typeof import("../transport/job/job_input.ts")>(
    "../transport/job/job_input.ts",
    import.meta.url,
  );
  return new JobInput(source);
}

function onDemand<K extends keyof StepKinds>(
  kind: K,
  make: () => Promise<StepKind<K>>,
): StepKind<K> {
  const { get } = once(make);
  return { kind, run: async (request, host) => await (await get()).run(request, host) };
}

/** One value for all that ask, made when the first does. */
function once<T>(make: () => Promise<T>) {
  let made: Promise<T> | undefined;
  return {
    get: () => made ??= make(),
    made: (): Promise<T> | undefined => made,
  };
}
