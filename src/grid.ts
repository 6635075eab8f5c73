/** Wires everything, once. The program (`cli/`) and the library (`mod.ts`) both come through here. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Cluster } from "./cluster/cluster.ts";
import type { ClusterConfig } from "./cluster/config.ts";
import { loadClusterConfig } from "./cluster/load.ts";
import { openCluster } from "./cluster/open.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import { newRunId } from "./core/ids.ts";
import { getLogger } from "./core/log.ts";
import { PRIVATE_FOLDER } from "./core/private_modes.ts";
import { createMasker } from "./core/secret.ts";
import type { Event } from "./engine/event.ts";
import { createOutputFan } from "./engine/ledger/output_fan.ts";
import { withEarlierEnv } from "./engine/resume/earlier_env.ts";
import type { LocalFiles } from "./engine/ports.ts";
import type { RunReader } from "./engine/reader.ts";
import { runPipeline } from "./engine/run.ts";
import { chooseSteps } from "./engine/schedule/choice.ts";
import { reduce, type RunState } from "./engine/state.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";
import { createRunMetrics } from "./metrics/run_metrics.ts";
import { createReport } from "./report/report.ts";
import { usualTimes, withExpectedEnds } from "./steps/expected_end.ts";
import { hashFiles } from "./steps/hash_files.ts";
import { createStepKinds } from "./steps/kinds.ts";
import { createLocalFiles } from "./steps/local_files.ts";
import { createOutputFile } from "./steps/output_files.ts";
import { createPlaceKeeper } from "./steps/place_keeper.ts";
import {
  masksOf,
  neededSecrets,
  readSecrets,
  secretParts,
  secretsAtHand,
  shortSecrets,
} from "./steps/secrets.ts";
import { openGround } from "./store/ground.ts";
import { openStore } from "./store/open.ts";
import { withLastWords } from "./store/last_words.ts";
import { Reserve } from "./store/reserve.ts";
import type { Store } from "./store/store.ts";
import { usualSteps } from "./store/usual.ts";
import { createPool } from "./transport/pool.ts";
import type { TransportPool } from "./transport/transport.ts";

const log = getLogger("grid");

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
  const { project, env } = options;
  const config = await loadClusterConfig({ file: options.configFile, project, env });
  return new Grid(config, { ...options, clock: options.clock ?? systemClock });
}

export interface RunOptions {
  readonly signal: AbortSignal;
  /** Made once the run has its name. Called before the first event. */
  readonly readers: (run: RunFolder) => readonly RunReader[];
  readonly maxParallel?: number | undefined;
  /** Bytes that one attempt may print; the rest is dropped behind a mark. */
  readonly maxOutputBytes?: number | undefined;
  readonly failFast?: boolean | undefined;
  /** Where a command failed by itself, the run's exit code is the command's own. */
  readonly passThrough?: boolean | undefined;
  readonly from?: string | undefined;
  readonly only?: string | undefined;
  /** For a pipeline of one command: what it reads; default: nothing. */
  readonly input?: ReadableStream<Uint8Array> | undefined;
  /** Absolute folder that holds the code to be synced; default: the project. */
  readonly code?: string | undefined;
  /** Go on from this earlier run instead of from nothing. */
  readonly resume?: RunState | undefined;
}

export interface RunFolder {
  readonly run: string;
  /** Absolute: `<project>/.grid/runs/<run>`. */
  readonly folder: string;
}

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
  readonly #env: Readonly<Record<string, string>>;
  readonly #gridVersion: string;
  /** Variables that hold secrets: what runs on this machine gets only those that it lists. */
  readonly #hidden = new Set<string>();

  constructor(config: ClusterConfig, options: GridOptions & { readonly clock: Clock }) {
    this.project = options.project;
    this.config = config;
    this.clock = options.clock;
    this.files = createLocalFiles(options.project);
    this.#env = options.env;
    this.#gridVersion = options.gridVersion;
    this.store = openStore(openGround(this.project));
    this.pool = createPool({ handshakes: config.ssh.poolSize, hidden: this.#hidden });
    this.cluster = openCluster({
      config,
      pool: this.pool,
      cache: this.store,
      clock: this.clock,
      project: this.project,
      random: Math.random,
    });
  }

  /** Runs a pipeline to its end, however it ends; reports are written before this resolves. */
  async run(pipeline: Pipeline, options: RunOptions): Promise<RunState> {
    for (const source of pipeline.secrets) {
      if (source.from === "env") this.#hidden.add(source.variable);
    }
    const needed = neededSecrets(pipeline, stepsToRun(pipeline, options));
    const secrets = await readSecrets(needed, {
      env: this.#env,
      project: this.project,
      signal: options.signal,
    });
    const masker = createMasker([
      ...secretParts(needed, secrets),
      ...secretsAtHand(pipeline.secrets, this.#env),
    ]);
    for (const warning of shortSecrets(needed, secrets)) log.warn(warning);
    const run = newRunId(this.clock.now());
    const folder = this.runFolder(run);
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
    const reserve = new Reserve(join(this.project, ".grid"));
    reserve.fill();
    const { journal, full } = withLastWords(this.store, reserve);
    full.addEventListener("abort", () => log.warn(`Cannot go on: ${full.reason.message}`), {
      once: true,
    });
    const files = {
      folder,
      isFull: () => full.aborted,
      stats: () => this.pool.stats(),
      warn: (text: string) => log.warn(text),
    };
    const readers = {
      files: [
        createPlaceKeeper(this.cluster),
        createReport(files),
        createRunMetrics({ ...files, run, ledger: this.store.tallies, clock: this.clock }),
      ],
      screens: options.readers({ run, folder }),
    };
    const { cluster, config, project } = this;
    const commands = pipeline.steps.filter(({ action }) => action.kind === "run").length;
    const kinds = createStepKinds({
      cluster: withExpectedEnds(
        cluster,
        usualTimes(pipeline.steps, () => usualSteps(this.store, { run, pipeline: pipeline.name })),
      ),
      config,
      project,
      commands,
      masks: masksOf(pipeline.secrets),
      input: options.input,
      run,
      resume: options.resume,
      code: options.code ?? project,
    });
    const { env, taken } = withEarlierEnv(this.#env, options.resume);
    if (taken.length > 0) {
      log.warn(`not set here, so taken from run ${options.resume?.run}: ${taken.join(", ")}`);
    }
    const events = runPipeline(pipeline, {
      kinds,
      journal,
      output: createOutputFan({
        masker,
        readers: allOf(readers),
        maxBytes: options.maxOutputBytes,
      }),
      clock: this.clock,
      random: Math.random,
      mask: (value) => masker.value(value),
      registry: this.store,
      results: this.store,
      files: this.files,
      outputFiles: (place) => createOutputFile({ run, folder, masker }, place),
      clearUp: () => kinds.clearUp(),
    }, {
      run,
      project: this.project,
      signal: AbortSignal.any([options.signal, full]),
      secrets,
      env,
      gridVersion: this.#gridVersion,
      hashFiles: (patterns) => hashFiles(patterns, options.code ?? project),
      hashInputs: (patterns) => kinds.hashInputs(patterns),
      ...(options.maxParallel !== undefined && { maxParallel: options.maxParallel }),
      ...(options.failFast !== undefined && { failFast: options.failFast }),
      ...(options.passThrough !== undefined && { passThrough: options.passThrough }),
      ...(options.from !== undefined && { from: options.from }),
      ...(options.only !== undefined && { only: options.only }),
      ...(options.resume !== undefined && { resume: options.resume }),
    });
    return await readAll(events, { readers, kinds });
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
      const { renderJson } = await import("./report/report_files.ts");
      const { runDocument } = await import("./report/document_writer.ts");
      return renderJson(runDocument(state, { logOf: () => null, transports: [] }));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cluster[Symbol.dispose]();
    await this.pool[Symbol.asyncDispose]();
    this.store[Symbol.dispose]();
  }
}

/** Undefined means all: when resuming, any step may have to be done again but for `only`. */
function stepsToRun(
  { steps }: Pipeline,
  { from, only, resume }: RunOptions,
): ReadonlySet<string> | undefined {
  return resume !== undefined && only === undefined
    ? undefined
    : chooseSteps(steps, { from, only });
}

interface Readers {
  readonly files: readonly RunReader[];
  /** Closed last, so that what they say of the files is true. */
  readonly screens: readonly RunReader[];
}

function allOf({ files, screens }: Readers): RunReader[] {
  return [...files, ...screens];
}

interface RunParts {
  readonly readers: Readers;
  /** Tidies up on the nodes while the reports are written. */
  readonly kinds: AsyncDisposable;
}

async function readAll(
  events: AsyncIterable<Event>,
  { readers, kinds }: RunParts,
): Promise<RunState> {
  let state: RunState | undefined;
  try {
    const all = allOf(readers);
    let isPrepared = false;
    for await (const event of events) {
      state = reduce(state, event);
      for (const reader of all) reader.event(event, state);
      if (event.type === "job.started" && !isPrepared) {
        isPrepared = true;
        // What cannot be loaded fails `close`, too.
        for (const reader of all) reader.prepare?.().catch(() => {});
      }
    }
  } finally {
    await Promise.all([closeAll(readers), kinds[Symbol.asyncDispose]()]);
  }
  if (state === undefined) throw new Error("a run without events");
  return state;
}

async function closeAll({ files, screens }: Readers): Promise<void> {
  // The nodes shall have been told to tidy up before the reports keep this thread busy.
  await setImmediate();
  await Promise.all(files.map((reader) => reader.close?.()));
  for (const screen of screens) await screen.close?.();
}
