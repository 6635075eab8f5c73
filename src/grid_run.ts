/** Wires one run: the engine with kinds of steps, journal, readers, secrets and reports. */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Cluster } from "./cluster/cluster.ts";
import { environmentsDigest } from "./cluster/environments_digest.ts";
import type { ClusterConfig } from "./cluster/config.ts";
import type { Clock } from "./core/clock.ts";
import { whoRuns } from "./core/account.ts";
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
import { reduce, type RunState } from "./engine/reduce.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";
import { createRunMetrics } from "./metrics/run_metrics.ts";
import { createReport } from "./report/report.ts";
import { usualTimes, withExpectedEnds } from "./steps/expected_end.ts";
import { FileSums } from "./steps/file_sums.ts";
import { hashFiles } from "./steps/hash_files.ts";
import { createStepKinds } from "./steps/kinds.ts";
import { createOutputFile } from "./steps/output_writer.ts";
import { createPlaceKeeper } from "./steps/place_keeper.ts";
import {
  masksOf,
  neededSecrets,
  readSecrets,
  secretParts,
  secretsAtHand,
  shortSecrets,
} from "./steps/secrets.ts";
import { withLastWords } from "./store/last_words.ts";
import { settleNearEnd } from "./store/near_end.ts";
import { Reserve } from "./store/reserve.ts";
import type { Store } from "./store/store.ts";
import { usualSteps } from "./store/usual.ts";
import type { TransportPool } from "./transport/transport.ts";
import type { InputSource } from "./transport/job/input_supply.ts";

const log = getLogger("grid");

/** Of an open Grid, what its runs need. */
export interface GridParts {
  readonly project: string;
  readonly config: ClusterConfig;
  readonly store: Store;
  readonly pool: TransportPool;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly files: LocalFiles;
  readonly env: Readonly<Record<string, string>>;
  readonly gridVersion: string;
  /** Variables that hold secrets: what runs on this machine gets only those that it lists. */
  readonly hidden: Set<string>;
  runFolder(run: string): string;
  /** Ends all shells and connections: nothing more is asked of any node. */
  leaveNodes(): Promise<void>;
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
  readonly input?: InputSource | undefined;
  /** Absolute folder that holds the code to be synced; default: the project. */
  readonly code?: string | undefined;
  /** Id of the run, for who has told it to somebody already; default: a new one. */
  readonly run?: string | undefined;
  /** Values of secrets by name, for who has read them already; default: they are read as they are declared. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  /** Go on from this earlier run instead of from nothing. */
  readonly resume?: RunState | undefined;
  /**
   * Nothing is asked of any node after this run: shells and connections end while its reports are
   * written, and not after that.
   */
  readonly isLast?: true | undefined;
}

export interface RunFolder {
  readonly run: string;
  /** Absolute: `<project>/.grid/runs/<run>`. */
  readonly folder: string;
}

/** Runs a pipeline to its end, however it ends; reports are written before this resolves. */
export async function runOn(
  grid: GridParts,
  pipeline: Pipeline,
  options: RunOptions,
): Promise<RunState> {
  for (const source of pipeline.secrets) {
    if (source.from === "env") grid.hidden.add(source.variable);
  }
  const needed = neededSecrets(pipeline, stepsToRun(pipeline, options));
  const secrets = await readSecrets(needed, {
    env: grid.env,
    project: grid.project,
    given: options.secrets,
    signal: options.signal,
  });
  const masker = createMasker([
    ...secretParts(needed, secrets),
    ...secretsAtHand(pipeline.secrets, grid.env),
  ]);
  for (const warning of shortSecrets(needed, secrets)) log.warn(warning);
  const run = options.run ?? newRunId(grid.clock.now());
  const folder = grid.runFolder(run);
  await Deno.mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const reserve = new Reserve(join(grid.project, ".grid"));
  reserve.fill();
  const { journal, full } = withLastWords(grid.store, reserve);
  full.addEventListener("abort", () => log.warn(`Cannot go on: ${full.reason.message}`), {
    once: true,
  });
  const sums = new FileSums();
  const files = {
    folder,
    isFull: () => full.aborted,
    stats: () => grid.pool.stats(),
    warn: (text: string) => log.warn(text),
  };
  const { cluster, config, project } = grid;
  const commands = pipeline.steps.filter(({ action }) => action.kind === "run").length;
  const kinds = createStepKinds({
    cluster: withExpectedEnds(
      cluster,
      usualTimes(pipeline.steps, () => usualSteps(grid.store, { run, pipeline: pipeline.name })),
    ),
    config,
    project,
    commands,
    masks: masksOf(pipeline.secrets),
    input: options.input,
    run,
    resume: options.resume,
    code: options.code ?? project,
    sums,
  });
  const readers = {
    files: [
      createPlaceKeeper(grid.cluster),
      createReport(files),
      createRunMetrics({ ...files, run, ledger: grid.store.tallies, clock: grid.clock }),
      settleNearEnd([grid.store, kinds]),
    ],
    screens: options.readers({ run, folder }),
  };
  const { env, taken } = withEarlierEnv(grid.env, options.resume);
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
    clock: grid.clock,
    random: Math.random,
    mask: (value) => masker.value(value),
    registry: grid.store,
    results: grid.store,
    files: grid.files,
    readFirst: sums,
    outputFiles: (place) => createOutputFile({ run, folder, masker }, place),
    nodeSays: (node, reads) => environmentsDigest(config, node, reads),
    clearUp: () => kinds.clearUp(),
  }, {
    run,
    project: grid.project,
    signal: AbortSignal.any([options.signal, full]),
    secrets,
    env,
    gridVersion: grid.gridVersion,
    by: whoRuns(),
    hashFiles: (patterns) => hashFiles(patterns, { project: options.code ?? project, sums }),
    hashInputs: (patterns) => kinds.hashInputs(patterns),
    ...(options.maxParallel !== undefined && { maxParallel: options.maxParallel }),
    ...(options.failFast !== undefined && { failFast: options.failFast }),
    ...(options.passThrough !== undefined && { passThrough: options.passThrough }),
    ...(options.from !== undefined && { from: options.from }),
    ...(options.only !== undefined && { only: options.only }),
    ...(options.resume !== undefined && { resume: options.resume }),
  });
  const leave = options.isLast && grid.leaveNodes;
  return await readAll(events, { readers, kinds, leave });
}

/** What `report.json` would say, where there was no room for it. */
export async function reportText(state: RunState): Promise<string> {
  const { renderJson } = await import("./report/json.ts");
  const { runDocument } = await import("./report/document_writer.ts");
  return renderJson(runDocument(state, { logOf: () => null, transports: [] }));
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
  /** What follows that at once. */
  readonly leave: (() => Promise<void>) | undefined;
}

async function readAll(events: AsyncIterable<Event>, parts: RunParts): Promise<RunState> {
  let state: RunState | undefined;
  try {
    const all = allOf(parts.readers);
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
    await closeAll(parts);
  }
  if (state === undefined) throw new Error("a run without events");
  return state;
}

async function closeAll({ readers, kinds, leave }: RunParts): Promise<void> {
  const tidied = kinds[Symbol.asyncDispose]();
  const left = async () => {
    await tidied;
    // Not before the readers have begun to close: one of them gives back what was placed on nodes.
    await setImmediate();
    // Whoever closes Grid waits for it, and hears what went wrong.
    leave?.().catch(() => {});
  };
  await Promise.all([closeReaders(readers), left()]);
}

async function closeReaders({ files, screens }: Readers): Promise<void> {
  // The nodes shall have been told to tidy up before the reports keep this thread busy.
  await setImmediate();
  try {
    await Promise.all(files.map((reader) => reader.close?.()));
  } finally {
    for (const screen of screens) await screen.close?.();
  }
}
