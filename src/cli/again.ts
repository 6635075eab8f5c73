/** `grid run --again RUN`: the pipeline and the code of an earlier run, exactly, or a refusal that says why. */
import { join, relative, resolve } from "node:path";
import { GridError } from "../core/errors.ts";
import { quoteAll } from "../core/shell.ts";
import { definitionOf } from "../engine/resume/definition.ts";
import { upcomingData, upcomingSyncs } from "../engine/resume/upcoming_syncs.ts";
import { replay, type RunState } from "../engine/reduce.ts";
import type { Grid } from "../grid.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { readDataSet } from "../data/source.ts";
import { dataSource } from "../steps/data_paths.ts";
import { hashFiles } from "../steps/hash_files.ts";
import { forecastDigest, syncOptionsOf } from "../steps/sync_source.ts";
import { emptyFolders } from "../sync/folders.ts";
import { checkOutCommit, type CommitCheckoutOptions } from "./commit_checkout.ts";
import type { CliContext } from "./context.ts";
import { heldSecrets, maskedInputs } from "./earlier_pipeline.ts";
import { inputWords } from "./option_values.ts";

export interface Again extends Disposable {
  readonly run: string;
  readonly pipeline: Pipeline;
  /** Absolute folder that holds the code: the project itself, or its commit in a folder of its own. */
  readonly code: string;
  /** Set where the code comes from there. */
  readonly commit: string | undefined;
}

interface AgainOptions {
  readonly grid: Grid;
  readonly context: CliContext;
  readonly signal: AbortSignal;
}

/** @throws {GridError} `usage` where the code of that run cannot be had any more */
export async function againOf(name: string, options: AgainOptions): Promise<Again> {
  const { grid, signal } = options;
  const run = grid.store.resolveRun(name);
  const state = replay(grid.store.events(run));
  if (!state || state.file === "") throw refusal(run, "it came from no pipeline file");
  const wanted = wantedOf(state);
  if (wanted.digests.size === 0) throw withoutCode(run, state);
  if (state.definition === undefined) throw refusal(run, "an older Grid ran it");
  const here = await load(state, grid.project, options);
  const masked = maskedInputs(here, state);
  if (masked.length > 0) throw refusal(run, heldSecrets(masked));
  const why = await difference(here, { state, wanted, code: grid.project, ...options });
  const nothing = () => {};
  if (why === undefined) {
    return {
      run,
      pipeline: here,
      code: grid.project,
      commit: undefined,
      [Symbol.dispose]: nothing,
    };
  }
  if (wanted.commit === undefined) {
    throw refusal(run, `${why}, and it was not the code of a git commit`);
  }
  const snapshot = await checkOut(wanted.commit, run, { project: grid.project, signal });
  try {
    const pipeline = await load(state, snapshot.code, options);
    const other = await difference(pipeline, { state, wanted, code: snapshot.code, ...options });
    if (other !== undefined) {
      const commit = wanted.commit.slice(0, 7);
      throw refusal(run, `${why} here, and in commit ${commit} ${other} too`, wanted);
    }
    return { run, pipeline, commit: wanted.commit, ...snapshot };
  } catch (error) {
    snapshot[Symbol.dispose]();
    throw error;
  }
}

interface Wanted {
  /** Step of a sync → digest of what it brought. */
  readonly digests: ReadonlyMap<string, string>;
  /** Step → digest of the data set that it brought. */
  readonly data: ReadonlyMap<string, string>;
  readonly commit: string | undefined;
  readonly changed: boolean;
}

function wantedOf({ steps }: RunState): Wanted {
  const syncs = [...steps.values()].flatMap(({ id, attempts }) =>
    (attempts.at(-1)?.syncs ?? []).map((sync) => ({ id, ...sync }))
  );
  const digests = syncs.flatMap(({ id, digest }): [string, string][] =>
    digest === undefined ? [] : [[id, digest]]
  );
  const data = [...steps.values()].flatMap(({ id, attempts }) =>
    (attempts.at(-1)?.data ?? []).map(({ digest }): [string, string] => [id, digest])
  );
  return {
    digests: new Map(digests),
    data: new Map(data),
    commit: syncs.find(({ commit }) => commit !== undefined)?.commit,
    changed: syncs.some(({ changed }) => changed === true),
  };
}

async function load(
  state: RunState,
  project: string,
  { grid, context }: AgainOptions,
): Promise<Pipeline> {
  const { pipeline } = await loadPipeline({
    file: relative(context.cwd, resolve(project, state.file)),
    project,
    inputs: inputWords(state.inputs),
    env: context.env,
    nodes: grid.cluster.nodes,
    local: grid.config.local,
  });
  return { ...pipeline, file: state.file };
}

interface DifferenceOptions extends AgainOptions {
  readonly state: RunState;
  readonly wanted: Wanted;
  readonly code: string;
}

/**
 * One clause; undefined where pipeline and code are those of the run. A commit has no empty folders, nor
 * those that hold only what git ignores: they are taken from the project as it is.
 */
async function difference(
  pipeline: Pipeline,
  { state, wanted, code, grid, context, signal }: DifferenceOptions,
): Promise<string | undefined> {
  if (definitionOf(pipeline) !== state.definition) return `${state.file} says something else`;
  const options = {
    env: context.env,
    hashFiles: (patterns: readonly string[]) => hashFiles(patterns, { project: code }),
  };
  const syncs = upcomingSyncs(pipeline, options);
  for (const [step, digest] of wanted.digests) {
    const sync = syncs.find((it) => it.step === step);
    if (!sync) return `what "${step}" brings is known only once it ran`;
    const { action, fetchTargets } = sync;
    const cacheFolder = join(grid.project, ".grid", "cache");
    // What is fetched lands in the project itself.
    const source = { config: grid.config.sync, project: code, fetchTargets, cacheFolder, signal };
    const now = await forecastDigest(action, source);
    if (now === undefined) return `what "${step}" brings depends on the node (delete: false)`;
    if (now === digest) continue;
    const folders = code === grid.project
      ? []
      : await emptyFolders(syncOptionsOf(action, { ...source, project: grid.project }));
    for (const path of folders) {
      Deno.mkdirSync(join(resolve(code, action.from), path), { recursive: true });
    }
    if (folders.length > 0 && await forecastDigest(action, source) === digest) continue;
    return `"${step}" would bring other files`;
  }
  const sets = upcomingData(pipeline, options);
  for (const [step, digest] of wanted.data) {
    const action = sets.find((it) => it.step === step)?.action;
    if (!action) return `what "${step}" brings is known only once it ran`;
    const { exclude, from } = action;
    const source = dataSource(from, { code, project: grid.project });
    const cacheFolder = join(grid.project, ".grid", "cache");
    const now = await readDataSet({ source, exclude, cacheFolder, signal });
    if (now.digest !== digest) return `"${step}" would bring other data`;
  }
  return undefined;
}

/** @throws {GridError} `usage` where the commit is not there any more */
async function checkOut(commit: string, run: string, options: CommitCheckoutOptions) {
  try {
    return await checkOutCommit(commit, options);
  } catch (error) {
    if (error instanceof GridError && error.code === "usage") throw refusal(run, error.message);
    throw error;
  }
}

/** There is nothing by which to know the code again; what is there now can be run with the same inputs. */
function withoutCode(run: string, { file, inputs }: RunState): GridError {
  const given = Object.entries(inputWords(inputs)).flatMap((
    [name, text],
  ) => ["-i", `${name}=${text}`]);
  return new GridError({
    code: "usage",
    message: `Cannot run ${run} again: it synced no code, by which that could be known again`,
    hint: `what is there now, with its inputs: grid run ${quoteAll([file, ...given])}`,
  });
}

function refusal(run: string, why: string, wanted?: Wanted): GridError {
  const hint = wanted?.changed
    ? "it ran with changes that were in no commit; commit before a run that shall be repeated"
    : "put the files back as they were, or run what is there now: grid run";
  return new GridError({ code: "usage", message: `Cannot run ${run} again: ${why}`, hint });
}
