/** `sync`: the code to the nodes. */
import type { Cluster } from "../cluster/cluster.ts";
import type { SyncConfig } from "../cluster/config.ts";
import { foldNames } from "../core/name_ranges.ts";
import { GridError, toGridError } from "../core/errors.ts";
import type { StepHost, StepKind, StepOutcome, StepRequest } from "../engine/ports.ts";
import type { SyncAction } from "../pipeline/pipeline.ts";
import { digestSource, syncFolders } from "../sync/folders.ts";
import { originOf } from "../sync/origin.ts";
import type {
  SyncOptions,
  SyncProgress,
  SyncReport,
  SyncResult,
  SyncTarget,
  SyncTree,
} from "../sync/sync.ts";
import { shorten } from "./name_list.ts";
import type { RunTrees } from "./run_trees.ts";
import { changedSince } from "./source_state.ts";
import { syncOptionsOf } from "./sync_source.ts";

export interface SyncStepDeps {
  readonly cluster: Pick<Cluster, "open" | "nodes">;
  readonly config: SyncConfig;
  /** Absolute project folder. */
  readonly project: string;
  /** Folder for the hash cache; default `<project>/.grid/cache`. */
  readonly cacheFolder?: string;
  /** Absent: the plain folder is used, whoever it belongs to. */
  readonly trees?: RunTrees | undefined;
}

type Request = StepRequest<SyncAction<string>>;

export function createSyncStep(deps: SyncStepDeps): StepKind<"sync"> {
  return { kind: "sync", run: (request, host) => runSync(request, { host, deps }) };
}

interface Context {
  readonly host: StepHost;
  readonly deps: SyncStepDeps;
}

async function runSync(request: Request, context: Context): Promise<StepOutcome> {
  const { action } = request;
  const { deps, host } = context;
  const names = action.to === "all" ? deps.cluster.nodes.map((node) => node.name) : action.to;
  const plain = syncOptionsOf(action, {
    ...deps,
    fetchTargets: request.fetchTargets ?? [],
    signal: host.signal,
  });
  const commit = deps.trees?.run.owner.commit;
  const changed = commit === undefined
    ? undefined
    : originOf(deps.project)?.changed ?? changedSince(plain.source, host.signal);
  const tell = (message: string) => host.note({ type: "warned", message });
  const progress = (it: SyncProgress) => host.note({ type: "sync.progressed", ...it });
  const options = { ...plain, tell, progress, ...treeOf(request, plain, context) };
  const opened = await Promise.all([...new Set(names)].map((name) => openTarget(name, context)));
  const failures = opened.filter((result) => "error" in result);
  const targets = opened.filter((result) => "transport" in result);
  const results = await syncFolders(targets, options);
  const synced = results.flatMap((result) => result.ok ? [result.report] : []);
  const here = opened.some((result) => "isHere" in result)
    ? [await reportHere(options, synced)]
    : [];
  const reports = [...here, ...synced];
  const code = { ...(commit !== undefined && { commit }), changed: await changed };
  for (const report of reports) noteReport(report, { host, code });
  noteSkipped(reports, host);
  const problems = [...failures, ...results.filter((result) => !result.ok)];
  if (problems.length > 0) throw problemOf(problems, reports.length);
  return { status: "succeeded", outputs: outputsOf(reports) };
}

/** Steps may write over what comes home, and over what the pipeline says. */
function treeOf(
  request: Request,
  { fetchTargets = [] }: SyncOptions,
  { deps: { trees }, host }: Context,
): Pick<SyncOptions, "tree"> {
  if (trees === undefined) return {};
  const { run, keeper, files } = trees;
  const writes = [...fetchTargets, ...request.madeThere ?? [], ...request.action.writes];
  const tell = (message: string) => host.note({ type: "warned", message });
  const brought: SyncTree["brought"] = (source, entries) => files.add(source, entries);
  return { tree: { run, keeper, writes, tell, brought } };
}

type Opened =
  | SyncTarget
  | { readonly node: string; readonly error: unknown }
  /** This machine: the source is already there. */
  | { readonly node: string; readonly isHere: true };

async function openTarget(name: string, { deps, host }: Context): Promise<Opened> {
  if (name === "local") return { node: name, isHere: true };
  try {
    const { transport, root } = await deps.cluster.open(name, { signal: host.signal });
    return { node: name, transport, root };
  } catch (error) {
    host.signal.throwIfAborted();
    return { node: name, error };
  }
}

/** Nothing travels, and still what lies there may be other than before. */
async function reportHere(
  options: SyncOptions,
  synced: readonly SyncReport[],
): Promise<SyncReport> {
  return {
    node: "local",
    folder: options.source,
    sent: 0,
    deleted: 0,
    total: 0,
    bytes: 0,
    durationMs: 0,
    digest: synced[0]?.digest ?? await digestSource(options),
    drifted: [],
    skipped: [],
  };
}

interface Code {
  readonly commit?: string;
  readonly changed: boolean | undefined;
}

function noteReport(
  report: SyncReport,
  { host, code: { changed, ...code } }: { readonly host: StepHost; readonly code: Code },
): void {
  const { drifted, skipped: _, ...finished } = report;
  const { node } = finished;
  const state = changed === undefined ? {} : { changed };
  host.note({ type: "sync.finished", ...finished, ...code, ...state });
  if (drifted.length > 0) {
    const names = shorten(drifted);
    host.note({ type: "warned", message: `Changed on ${node} and put right: ${names}` });
  }
}

/** Mostly it is the source that keeps something at home, for all nodes alike. */
function noteSkipped(reports: readonly SyncReport[], host: StepHost): void {
  const wordsOf = ({ skipped }: SyncReport) =>
    shorten(skipped.map(({ path, reason }) => `${path} (${reason})`));
  for (const [names, alike] of Map.groupBy(reports, wordsOf)) {
    if (names === "") continue;
    const nodes = foldNames(alike.map(({ node }) => node));
    host.note({ type: "warned", message: `Not synced to ${nodes}: ${names}` });
  }
}

function outputsOf(reports: readonly SyncReport[]) {
  const folders = new Set(reports.map((report) => report.folder));
  const [folder] = folders;
  return {
    // Nodes may keep their workspace in different places; then there is no one folder to name.
    ...(folders.size === 1 && folder !== undefined ? { folder } : {}),
    files: reports.reduce((sum, report) => sum + report.sent, 0),
    bytes: reports.reduce((sum, report) => sum + report.bytes, 0),
  };
}

type Problem = Extract<SyncResult, { ok: false }> | { node: string; error: unknown };

/** The first failure speaks; the others are named. */
function problemOf(problems: readonly Problem[], others: number): GridError {
  const [first, ...more] = problems.map(({ node, error }) => ({ node, error: toGridError(error) }));
  if (first === undefined) throw new Error("no problem to report");
  if (more.length === 0 && others === 0) return first.error;
  const also = more.map(({ node, error }) => `; ${node}: ${error.message}`).join("");
  const rest = others === 1 ? "1 other node was synced" : `${others} other nodes were synced`;
  return new GridError({
    code: first.error.code,
    message: `${first.error.message}${also} (${rest})`,
    hint: first.error.hint,
    node: first.node,
    cause: first.error,
  });
}
