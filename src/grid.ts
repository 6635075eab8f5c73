/** Opens everything, once. The program (`cli/`) and the library (`mod.ts`) both come through here. */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Cluster } from "./cluster/cluster.ts";
import type { ClusterConfig } from "./cluster/config.ts";
import { loadClusterConfig } from "./cluster/load_config.ts";
import { openCluster } from "./cluster/open.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import { lazy } from "./core/lazy.ts";
import type { LocalFiles } from "./engine/ports.ts";
import type { RunState } from "./engine/reduce.ts";
import type { GridParts, RunFolder, RunOptions } from "./grid_run.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";
import { createLocalFiles } from "./steps/local_files.ts";
import { hasGround, openGround } from "./store/ground.ts";
import { openStore } from "./store/open.ts";
import type { Store } from "./store/store.ts";
import { createPool } from "./transport/pool.ts";
import type { TransportPool } from "./transport/transport.ts";

export interface GridOptions {
  /** Absolute folder that relative paths start in and that holds `.grid/`. */
  readonly project: string;
  /** Default: `config/cluster_config.yaml` in the project, else two local nodes. */
  readonly configFile?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly gridVersion: string;
  readonly clock?: Clock | undefined;
}

/** @throws {DiagnosticsError} where the cluster config is wrong */
export async function openGrid(options: GridOptions): Promise<Grid> {
  const { project, env, clock = systemClock, configFile: file } = options;
  // Not made for a config that may be wrong.
  const earlier = hasGround(project) ? openStore(openGround(project)) : undefined;
  const rows = earlier && { cache: earlier, now: clock.now() };
  try {
    const config = await loadClusterConfig({ file, project, env, rows });
    const store = earlier ?? openStore(openGround(project));
    return new Grid({ ...options, clock, config, store });
  } catch (thrown) {
    earlier?.[Symbol.dispose]();
    throw thrown;
  }
}

interface OpenedGrid extends GridOptions {
  readonly clock: Clock;
  readonly config: ClusterConfig;
  readonly store: Store;
}

export type { RunFolder, RunOptions };

/** How long a node that does not answer may hold up the end. */
const FAREWELL_MS = 1000;

/** A cluster, its store and the kinds of steps, opened together and closed together. */
export class Grid implements AsyncDisposable {
  readonly project: string;
  readonly config: ClusterConfig;
  readonly store: Store;
  readonly pool: TransportPool;
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Questions about files of the project. */
  readonly files: LocalFiles;
  readonly #parts: GridParts;
  #leaving: Promise<void> | undefined;

  constructor({ project, config, store, clock, env, gridVersion }: OpenedGrid) {
    const hidden = new Set<string>();
    this.project = project;
    this.config = config;
    this.clock = clock;
    this.files = createLocalFiles(project);
    this.store = store;
    this.pool = createPool({ handshakes: config.ssh.poolSize, hidden });
    this.cluster = openCluster({
      config,
      pool: this.pool,
      cache: store,
      clock,
      project,
      random: Math.random,
    });
    const { files, pool, cluster } = this;
    const runFolder = this.runFolder.bind(this);
    const opened = { project, config, store, pool, cluster, clock, files };
    const leaveNodes = this.#leave.bind(this);
    this.#parts = { ...opened, env, gridVersion, hidden, runFolder, leaveNodes };
  }

  /** Runs a pipeline to its end, however it ends; reports are written before this resolves. */
  async run(pipeline: Pipeline, options: RunOptions): Promise<RunState> {
    const { runOn } = await lazy<typeof import("./grid_run.ts")>(
      "./grid_run.ts",
      import.meta.url,
    );
    return await runOn(this.#parts, pipeline, options);
  }

  /** Absolute folder of what a run left behind. */
  runFolder(run: string): string {
    return join(this.project, ".grid", "runs", run);
  }

  /** The text of a run's `report.json`, also where there was no room for the file. */
  async readReport(state: RunState): Promise<string> {
    try {
      return await Deno.readTextFile(join(this.runFolder(state.run), "report.json"));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      const { reportText } = await lazy<typeof import("./grid_run.ts")>(
        "./grid_run.ts",
        import.meta.url,
      );
      return await reportText(state);
    }
  }

  /** Nothing more is asked of any node. */
  #leave(): Promise<void> {
    return this.#leaving ??= this.#leaveNodes();
  }

  async #leaveNodes(): Promise<void> {
    this.cluster[Symbol.dispose]();
    const told = new AbortController();
    const enough = this.clock.sleep(FAREWELL_MS, { signal: told.signal });
    await Promise.race([this.cluster.released(), enough.catch(() => {})]);
    told.abort();
    await this.pool[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const leaving = this.#leave();
    try {
      // Shells that were told to leave do so while the store puts its log away.
      await setImmediate();
      this.store[Symbol.dispose]();
    } finally {
      await leaving;
    }
  }
}
