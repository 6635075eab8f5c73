/** The library's door: a cluster of nodes, and what can be done with it. */
import { isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Placement } from "../cluster/cluster.ts";
import type { NodeHealth } from "../cluster/node.ts";
import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { VERSION } from "../core/version.ts";
import type { RunReader } from "../engine/reader.ts";
import { type Grid as Core, openGrid as openCore } from "../grid.ts";
import { commandPipeline, syncPipeline } from "../pipeline/command_pipeline.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { batchPipeline, fetchPipeline } from "../pipeline/task_pipeline.ts";
import { Execution } from "./execution.ts";
import type {
  ExecOptions,
  FetchOptions,
  HealthOptions,
  NodeWish,
  OpenOptions,
  RayBatchOptions,
  RunOptions,
  SyncOptions,
} from "./options.ts";
import { outcomeOf, type RunOutcome } from "./outcome.ts";
import { Run } from "./run.ts";

/**
 * Opens a cluster: that of `config/cluster_config.yaml` in the project folder, else two workspaces on
 * this machine. Nothing is connected to before it is needed.
 *
 * @throws {GridError} where the cluster config has mistakes, or the folder cannot be written to
 *
 * @example
 * ```ts
 * import { openGrid } from "@grid/grid";
 *
 * await using grid = await openGrid({ project: await Deno.makeTempDir() });
 * const nodes = await grid.health();
 * console.log(nodes.map(({ node, status }) => `${node}: ${status}`));
 * ```
 */
export async function openGrid(options: OpenOptions = {}): Promise<Grid> {
  const { config, signal, env = Deno.env.toObject() } = options;
  const project = resolve(pathOf(options.project ?? "."));
  const configFile = config !== undefined
    ? resolve(project, pathOf(config))
    : env["GRID_CONFIG"]
    ? resolve(env["GRID_CONFIG"])
    : undefined;
  signal?.throwIfAborted();
  const core = await openCore({ project, configFile, env, gridVersion: VERSION });
  return new Grid(core, { env, signal });
}

/**
 * Nodes, and what can be done with them. Made by {@linkcode openGrid}; close it with `await using`, which
 * also cancels what is under way.
 *
 * @example
 * ```ts
 * import { openGrid } from "@grid/grid";
 *
 * await using grid = await openGrid({ project: await Deno.makeTempDir() });
 * const { node } = await grid.select();
 * console.log(await grid.exec("echo hello", { node }).text());
 * ```
 */
export class Grid implements AsyncDisposable {
  readonly #core: Core;
  readonly #env: Readonly<Record<string, string>>;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #runs = new Set<Run>();

  /** Made by {@linkcode openGrid}. */
  constructor(core: unknown, options: {
    readonly env: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
  }) {
    this.#core = core as Core;
    this.#env = options.env;
    this.#signal = AbortSignal.any([
      this.#closing.signal,
      ...(options.signal ? [options.signal] : []),
    ]);
  }

  /** The folder that relative paths start in and that holds `.grid/`; absolute. */
  get project(): string {
    return this.#core.project;
  }

  /** Names of the configured nodes, in the order of the config. */
  get nodes(): readonly string[] {
    return this.#core.cluster.nodes.map(({ name }) => name);
  }

  /** Runs a pipeline file; relative paths start in the project folder. */
  run(file: string | URL, options: RunOptions = {}): Run {
    return this.#start(options, async () => {
      const path = resolve(this.project, pathOf(file));
      const { pipeline } = await loadPipeline({
        file: path,
        project: this.project,
        inputs: inputTexts(options.inputs ?? {}),
        env: this.#env,
        nodes: this.#core.cluster.nodes,
        local: this.#core.config.local,
      });
      // As the command line does it, so that either goes on from the other's runs.
      return { ...pipeline, file: relative(this.project, path) };
    });
  }

  /** Runs a shell command: on the node that is named, else on the best one that fits. */
  exec(command: string, options: ExecOptions = {}): Execution {
    const { node, gpus, labels, timeoutMs, signal } = options;
    return new Execution(
      this.#start(
        { signal },
        () => Promise.resolve(commandPipeline({ command, node, gpus, labels, timeoutMs })),
        true,
      ),
    );
  }

  /** How every node is, at once. A node that is down has a row that says why; nothing is thrown. */
  health(options: HealthOptions = {}): Promise<readonly NodeHealth[]> {
    const { fresh = false, nodes } = options;
    return this.#core.cluster.health({
      fresh,
      signal: this.#with(options.signal),
      ...(nodes && { among: nodes }),
    });
  }

  /** The best node that fits. Throws a `GridError` (`no-node`) with every node's reason where none does. */
  select(wish: NodeWish = {}): Promise<Placement> {
    const { gpus = 0, minFreeVramBytes, labels = [], among = [], waitMs = 0 } = wish;
    return this.#core.cluster.select(
      { gpus, minFreeVramBytes, labels, among, waitMs },
      { signal: this.#with(wish.signal) },
    );
  }

  /** Brings a folder to nodes: what changed is sent, what is gone is removed. Throws where it fails. */
  async sync(folder: string | URL = ".", options: SyncOptions = {}): Promise<RunOutcome> {
    const from = this.#inProject(folder);
    const { to = "all", as, signal } = options;
    return await succeeded(
      this.#start({ signal }, () => Promise.resolve(syncPipeline({ from, to, as }))),
    );
  }

  /** Brings files home from a node; resolves with their absolute paths. Throws where it fails. */
  async fetch(
    patterns: string | readonly string[],
    options: FetchOptions,
  ): Promise<readonly string[]> {
    const { node, folder, to = ".", signal } = options;
    const from = typeof patterns === "string" ? [patterns] : patterns;
    const { steps } = await succeeded(
      this.#start(
        { signal },
        () => Promise.resolve(fetchPipeline({ from, node, folder, to: this.#inProject(to) })),
      ),
    );
    const { files, folder: home } = steps.get("fetch")?.outputs ?? {};
    return (files as readonly string[]).map((file) => join(String(home), file));
  }

  /**
   * Calls a function, or runs a command, for every task, in batches over all nodes; resolves with the
   * results in the order of the tasks. Throws where more than `maxFailures` tasks fail; the result of
   * a task that failed is null.
   */
  async rayBatch(options: RayBatchOptions): Promise<readonly JsonValue[]> {
    const { call, command, tasks, batchSize = 10, maxFailures = 0, signal } = options;
    if ((call === undefined) === (command === undefined)) {
      throw new GridError({
        code: "usage",
        message: "Cannot run the batch: it needs either call or command",
        hint: 'for example { call: "module:function", tasks: [1, 2, 3] }',
      });
    }
    if (tasks.length === 0) return [];
    const code = options.code === undefined
      ? call === undefined ? undefined : "."
      : this.#inProject(options.code);
    const { steps } = await succeeded(
      this.#start({ signal }, () =>
        Promise.resolve(batchPipeline({
          call,
          command,
          tasks,
          batchSize,
          gpusPerBatch: options.gpusPerBatch ?? 0,
          cpusPerBatch: options.cpusPerBatch ?? 1,
          maxFailures,
          code,
        }))),
    );
    return steps.get("batch")?.outputs["results"] as readonly JsonValue[];
  }

  /** Cancels what is under way, waits for its end, and closes every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled([...this.#runs]);
    await this.#core[Symbol.asyncDispose]();
  }

  #start(options: RunOptions, load: () => Promise<Pipeline>, passThrough = false): Run {
    const start = async (reader: RunReader, signal: AbortSignal) => {
      signal.throwIfAborted();
      const state = await this.#core.run(await load(), {
        signal,
        readers: () => [reader],
        passThrough,
        maxParallel: options.maxParallel,
        failFast: options.failFast,
        from: options.from,
        only: options.only,
      });
      return outcomeOf(state, {
        folder: this.#core.runFolder(state.run),
        list: (output, name) => this.#core.files.list(output, name),
      });
    };
    const run = new Run(start, this.#with(options.signal));
    this.#runs.add(run);
    const forget = () => this.#runs.delete(run);
    run.then(forget, forget);
    return run;
  }

  #with(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#signal : AbortSignal.any([this.#signal, signal]);
  }

  /** Pipelines name folders by their way from the project. */
  #inProject(folder: string | URL): string {
    const path = pathOf(folder);
    return (isAbsolute(path) ? relative(this.project, path) : path) || ".";
  }
}

async function succeeded(run: Run): Promise<RunOutcome> {
  const outcome = await run;
  if (outcome.error !== undefined) throw outcome.error;
  return outcome;
}

/** As `-i name=value` writes them; lists and maps as JSON. */
function inputTexts(
  inputs: Readonly<Record<string, JsonValue>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(inputs).map((
      [name, value],
    ) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

function pathOf(path: string | URL): string {
  return path instanceof URL ? fileURLToPath(path) : path;
}
