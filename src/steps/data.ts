/** `data`: a data set to the nodes, once for all projects there. */
import type { Cluster } from "../cluster/cluster.ts";
import type { SyncConfig } from "../cluster/config.ts";
import { LOCAL_NODE } from "../cluster/defaults.ts";
import type { OpenNode } from "../cluster/node.ts";
import { byWorkspace } from "../cluster/shared_home.ts";
import { GridError, toGridError } from "../core/errors.ts";
import type { DataFinished } from "../engine/event.ts";
import type { StepHost, StepKind, StepOutcome, StepRequest } from "../engine/ports.ts";
import type { DataAction } from "../pipeline/data_action.ts";
import { type DataSet, readDataSet } from "../data/source.ts";
import { type Spread, spreadData } from "../data/spread.ts";
import type { TreeRun } from "../sync/tree.ts";
import { dataSource } from "./data_paths.ts";

export interface DataStepDeps {
  readonly cluster: Pick<Cluster, "open" | "nodes">;
  readonly config: Pick<SyncConfig, "maxParallelTransfers">;
  /** Absolute project folder. */
  readonly project: string;
  /** Absolute folder of the run's code; mostly the project. */
  readonly code: string;
  /** Folder for the hash cache. */
  readonly cacheFolder: string;
  /** Who asks, for those who wait. */
  readonly owner: TreeRun["owner"];
  /** Word for the project. */
  readonly id: string;
}

type Request = StepRequest<DataAction<string>>;

export function createDataStep(deps: DataStepDeps): StepKind<"data"> {
  return { kind: "data", run: (request, host) => runData(request, { host, deps }) };
}

interface Context {
  readonly host: StepHost;
  readonly deps: DataStepDeps;
}

async function runData({ action }: Request, context: Context): Promise<StepOutcome> {
  const { deps, host } = context;
  const { signal } = host;
  const source = dataSource(action.from, deps);
  const all = action.to === "all" ? deps.cluster.nodes.map(({ name }) => name) : action.to;
  const names = [...new Set(all)].filter((name) => name !== LOCAL_NODE);
  const [set, opened] = await Promise.all([
    readDataSet({ source, exclude: action.exclude, cacheFolder: deps.cacheFolder, signal }),
    Promise.all(names.map((name) => openNode(name, context))),
  ]);
  const nodes = opened.filter((it): it is OpenNode => "transport" in it);
  // What one of them has, all have.
  const groups = await byWorkspace(nodes, { signal });
  const results = await spread(set, { ...context, action, source, groups });
  const found = results.flatMap((result): Found[] => {
    if (!result.ok) return [];
    const { node, folder: path, sent, wasThere, from } = result;
    const group = groups.find(([first]) => first.node.name === node) ?? [];
    return group.map((one, index) => ({
      node: one.node.name,
      path,
      sent: index === 0 ? sent : 0,
      wasThere: index > 0 || wasThere,
      ...(index === 0 && from !== undefined && { from }),
    }));
  });
  // On this machine it lies where it is.
  found.push({ node: LOCAL_NODE, path: source, sent: 0, wasThere: true });
  for (const each of found) note(each, { set, name: action.name, host });
  const problems = [
    ...opened.flatMap((it) => "error" in it ? [it] : []),
    ...results.flatMap((result) => result.ok ? [] : [result]),
  ];
  if (problems.length > 0) throw problemOf(problems, found.length - 1);
  return { status: "succeeded", outputs: outputsOf(found, set) };
}

type Found = Pick<DataFinished, "node" | "path" | "sent" | "wasThere" | "from">;

interface SpreadContext extends Context {
  readonly action: DataAction<string>;
  /** Absolute. */
  readonly source: string;
  readonly groups: Awaited<ReturnType<typeof byWorkspace<OpenNode>>>;
}

function spread(
  set: DataSet,
  { action, source, groups, deps, host }: SpreadContext,
): Promise<readonly Spread[]> {
  const { account, machine } = deps.owner;
  return spreadData({
    set,
    targets: groups.map(([{ node, transport, root }]) => ({ node: node.name, transport, root })),
    use: { project: deps.id, folder: deps.project, name: action.name, source },
    direct: action.direct,
    owner: `${account}@${machine}`,
    maxParallelTransfers: deps.config.maxParallelTransfers,
    signal: host.signal,
    progress: (it) => host.note({ type: "sync.progressed", ...it }),
    tell: (message) => host.note({ type: "warned", message }),
  });
}

async function openNode(
  name: string,
  { deps, host: { signal } }: Context,
): Promise<OpenNode | { readonly node: string; readonly error: unknown }> {
  try {
    return await deps.cluster.open(name, { signal });
  } catch (error) {
    signal.throwIfAborted();
    return { node: name, error };
  }
}

interface NoteOptions {
  readonly set: DataSet;
  readonly name: string;
  readonly host: StepHost;
}

function note(found: Found, { set: { digest, files, bytes }, name, host }: NoteOptions): void {
  host.note({ type: "data.finished", name, digest, files, bytes, ...found });
}

function outputsOf(found: readonly Found[], { digest, files, bytes }: DataSet) {
  const there = found.filter(({ node }) => node !== LOCAL_NODE);
  const paths = new Set((there.length > 0 ? there : found).map(({ path }) => path));
  const [path] = paths;
  return {
    // Where it lies in different places on nodes there is no one path to name.
    ...(paths.size === 1 && path !== undefined ? { path } : {}),
    paths: Object.fromEntries(found.map(({ node, path }) => [node, path])),
    digest,
    files,
    bytes,
    sent: found.reduce((sum, each) => sum + each.sent, 0),
  };
}

/** The first failure speaks; the others are named. */
function problemOf(
  problems: readonly { readonly node: string; readonly error: unknown }[],
  others: number,
): GridError {
  const [first, ...more] = problems.map(({ node, error }) => ({ node, error: toGridError(error) }));
  if (first === undefined) throw new Error("no problem to report");
  const also = more.map(({ node, error }) => `; ${node}: ${error.message}`).join("");
  const rest = others === 0
    ? ""
    : ` (${others === 1 ? "1 other node has" : `${others} other nodes have`} it)`;
  return new GridError({
    code: first.error.code,
    message: `${first.error.message}${also}${rest}`,
    hint: first.error.hint,
    node: first.node,
    cause: first.error,
  });
}
