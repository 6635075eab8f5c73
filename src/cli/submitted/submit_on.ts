/** `grid submit --on NODE`: the runner itself lives on a node, and this machine may be closed. */
import { systemClock } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import { newRunId } from "../../core/ids.ts";
import { formatSize } from "../../core/size.ts";
import { chooseSteps } from "../../engine/schedule/choice.ts";
import { envNames } from "../../pipeline/env_names.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { OpenNode } from "../../cluster/node.ts";
import { neededSecrets, readSecrets } from "../../steps/secrets.ts";
import type { SyncProgress } from "../../sync/sync.ts";
import { oneLine } from "../../terminal/harmless.ts";
import type { CommandContext } from "../command_module.ts";
import { knownNodes } from "../nodes.ts";
import { inputWords } from "../option_values.ts";
import { openRuns } from "../past_runs.ts";
import { readPipeline } from "../pipeline_file.ts";
import { formOf } from "../run_form.ts";
import type { Begun, NotBegun } from "../runner_elsewhere.ts";
import { openSession, type Session } from "../session.ts";
import { bringNews } from "./news.ts";
import { refuse, type Tell, tellLimits } from "./limits.ts";
import { begin } from "./begin.ts";
import { runnerWords, type SubmitOnFlags } from "./runner_words.ts";
import { CONFIG_NAME, otherConfig } from "./other_config.ts";
import { bringProject, fillPlace, makePlace, nameOf, removePlace } from "./place.ts";
import { bringRuntime } from "./runtime.ts";
import { askOnce, type SubmittedPlace } from "./talk.ts";

/** Who asks for a run on a node. */
export interface Asker {
  readonly session: Session;
  readonly context: CommandContext;
}

export interface SubmitOnOptions {
  /** The node's name. */
  readonly on: string;
  readonly flags: SubmitOnFlags;
  readonly context: CommandContext;
}

/** @throws {GridError} where the run could not go well there; nothing of it is left on the node then */
export async function submitOn(
  target: string,
  { on, flags, context }: SubmitOnOptions,
): Promise<Begun | NotBegun> {
  const pipeline = formOf(target) === "file"
    ? await readPipeline(target, { flags, context })
    : undefined;
  if (pipeline !== undefined) refuseOutside(pipeline, target);
  await using session = await openSession(flags, context);
  const { grid, signal } = session;
  knownNodes(session, [on]);
  const given = await givenTo(pipeline, { flags, context, session });
  const node = await grid.cluster.open(on, { signal });
  if (node.node.endpoint.transport === "local") throw isHere(on, target);
  const run = newRunId(systemClock.now());
  const folder = await makePlace(run, { node, project: grid.project, signal });
  const options = { run, node, folder, session, context };
  const begun = await beginOn({
    ...options,
    pipeline,
    given,
    target,
    words: runnerWords(target, { pipeline, flags }),
    isNew: true,
    restart: flags.restart === true,
  });
  using runs = openRuns(flags, context);
  if (begun.run !== undefined) await bringNews(runs, context, run);
  return begun;
}

/** All that would be brought is here already, and closing this machine would end it. */
function isHere(on: string, target: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot submit ${oneLine(target)} to "${on}": that node is this machine itself`,
    hint: "without --on the run goes on here when the terminal is closed",
    node: on,
  });
}

export interface BeginOnOptions extends Asker {
  readonly run: string;
  readonly node: OpenNode;
  /** Absolute, on the node: what is brought for the run goes there. */
  readonly folder: string;
  readonly pipeline: Pipeline | undefined;
  readonly given: Given;
  /** What the user calls it. */
  readonly target: string;
  /** For the runner. */
  readonly words: readonly string[];
  /** Where it comes to nothing, nothing shall be left there. */
  readonly isNew: boolean;
  readonly restart: boolean;
}

/** Brings what the runner needs, looks whether it has all, tells what it has not, and starts it. */
export async function beginOn(options: BeginOnOptions): Promise<Begun | NotBegun> {
  const { run, node, folder, session, context, pipeline, given, target, isNew } = options;
  const { grid, signal } = session;
  const on = node.node.name;
  const tell = teller(session, context);
  const place: SubmittedPlace = { transport: node.transport, folder, signal };
  const remove = async () => {
    if (!isNew) return;
    // The way to the node may be what broke.
    const patience = AbortSignal.timeout(REMOVE_MS);
    await removePlace(folder, { ...node, signal: patience }).catch(() => {});
  };
  try {
    const config = await otherConfig({ config: grid.config, node, env: context.env });
    const runtime = await runtimeOn(node, { session, tell });
    await projectOn(node, { place: folder, session, tell });
    const { project } = grid;
    await fillPlace({ node, project, signal, place: folder, runtime, config: config.text });
    const check = await askOnce(place, {
      ask: "check",
      others: config.others,
      file: pipeline?.file,
      inputs: inputWords(pipeline?.inputs ?? {}),
      env: given.env,
      secrets: Object.keys(given.secrets),
    });
    tellLimits(check, { on, config, pipeline, tell });
    refuse(check, { on, target, tell });
  } catch (error) {
    await remove();
    throw error;
  }
  const words = ["--config", `${folder}/${CONFIG_NAME}`, ...options.words];
  const { restart } = options;
  const begun = await begin(place, {
    session,
    on,
    request: { ask: "begin", run, words, ...given, restart },
  });
  if (!("problem" in begun)) {
    if (begun.restart !== undefined) tell(`on ${on}, ${begun.restart}`);
    const names = Object.keys(given.secrets);
    if (begun.restart !== undefined && names.length > 0) {
      tell(
        `warning: nothing there keeps ${names.join(", ")} for then; ` +
          "go on by hand, which gives them anew: grid resume",
      );
    }
    return { run, pid: begun.pid };
  }
  await remove();
  return { run: undefined, problem: begun.problem };
}

const REMOVE_MS = 5000;

function refuseOutside({ file }: Pipeline, target: string): void {
  if (!file.startsWith("../")) return;
  throw new GridError({
    code: "usage",
    message: `Cannot submit ${target} to a node: it lies outside of the project`,
    hint: "only the project is brought there; copy the file into it",
  });
}

function teller({ settings }: Session, context: CommandContext): Tell {
  return (text) => {
    if (!settings.quiet) context.stderr(`${oneLine(text)}\n`);
  };
}

export interface Given {
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Read here, where they are: commands that ask for them, files and variables stay behind. */
export async function givenTo(
  pipeline: Pipeline | undefined,
  { flags, context, session }: Asker & {
    readonly flags: Pick<SubmitOnFlags, "from" | "only">;
  },
): Promise<Given> {
  if (pipeline === undefined) return { env: {}, secrets: {} };
  const needed = neededSecrets(pipeline, chooseSteps(pipeline.steps, flags));
  const { env } = context;
  const secrets = await readSecrets(needed, {
    env,
    project: session.grid.project,
    signal: session.signal,
  });
  const asked = envNames(pipeline).flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { env: Object.fromEntries(asked), secrets };
}

interface On {
  readonly session: Session;
  readonly tell: Tell;
}

async function runtimeOn(node: OpenNode, { session, tell }: On): Promise<string> {
  const { name } = node.node;
  const { folder, sent } = await bringRuntime({
    target: { node: name, transport: node.transport, root: node.root },
    project: session.grid.project,
    signal: session.signal,
    progress: progressOf("Grid", tell),
  });
  if (sent > 0) tell(`brought Grid itself to ${name}: ${formatSize(sent)}, once per version`);
  return folder;
}

async function projectOn(
  node: OpenNode,
  { place, session, tell }: On & { readonly place: string },
): Promise<void> {
  const { project, config } = session.grid;
  const report = await bringProject({
    node,
    project,
    place,
    config: config.sync,
    progress: progressOf("the project", tell),
    tell: (message) => tell(`warning: ${message}`),
    signal: session.signal,
  });
  const { sent, bytes } = report;
  tell(
    `brought ${nameOf(project)} to ${node.node.name}: ${sent} ${sent === 1 ? "file" : "files"}, ${
      formatSize(bytes)
    }`,
  );
}

/** Every ten seconds. */
function progressOf(what: string, tell: Tell) {
  return ({ node, bytes, totalBytes, rate }: SyncProgress) =>
    tell(
      `bringing ${what} to ${node}: ${formatSize(bytes)} of ${formatSize(totalBytes)}, ${
        formatSize(Math.round(rate))
      }/s`,
    );
}
