/** The trees on nodes of one run: whose they are, and what keeps them its own. */
import { systemClock } from "../core/clock.ts";
import type { SyncedTree } from "../engine/event.ts";
import type { RunState } from "../engine/reduce.ts";
import { commitOf } from "../sync/git_facts.ts";
import { originOf } from "../sync/origin.ts";
import { projectIdentity } from "../sync/project_identity.ts";
import type { TreeRun } from "../sync/tree.ts";
import { TreeKeeper } from "../sync/tree_keeper.ts";
import type { FileSums } from "./file_sums.ts";
import { SyncedFiles } from "./synced_files.ts";

export interface RunTrees extends AsyncDisposable {
  readonly run: TreeRun;
  readonly keeper: TreeKeeper;
  /** What the run's syncs brought. */
  readonly files: SyncedFiles;
}

export interface RunTreesOptions {
  /** Absolute. */
  readonly project: string;
  /** Where the code of the run is; default: the project. */
  readonly code?: string | undefined;
  readonly run: string;
  readonly resume?: RunState | undefined;
  /** How long a job outlives its runner: about as long as the tree that it works in. */
  readonly leaseMs: number;
  /** Of files of this machine. */
  readonly sums?: FileSums | undefined;
}

/** A tree is free a little later than the node ends the last job of a dead runner. */
const SLACK_MS = 30_000;

export function openRunTrees(
  { project, code = project, run, resume, leaseMs, sums }: RunTreesOptions,
): RunTrees {
  const { id, former, account, machine, folder } = projectIdentity(project);
  const before = lastTrees(resume);
  const commit = originOf(project)?.commit ?? commitOf(code);
  const keeper: TreeKeeper = new TreeKeeper({
    project: id,
    formerProjects: former,
    owner: {
      account,
      machine,
      folder,
      run,
      at: systemClock.now(),
      ...(commit !== undefined && { commit }),
    },
    lineage: resume ? lineageOf(resume) : [],
    forerunners: resume ? forerunnersOf(resume) : [],
    silenceMs: leaseMs * 1.5 + SLACK_MS,
    preferred: ({ node, key }) => {
      const tree = keeper.treeOn(node, key) ?? before.get(node)?.find((it) => it.startsWith(key));
      return tree === undefined ? undefined : slotOf(tree, { key, project: id });
    },
  });
  return {
    run: keeper.run,
    keeper,
    files: new SyncedFiles(sums),
    [Symbol.asyncDispose]: () => keeper[Symbol.asyncDispose](),
  };
}

/** Runs whose jobs, where they go on, are this run's too. */
function lineageOf(state: RunState): string[] {
  const reused = [...state.steps.values()].map(({ reusedFrom }) => reusedFrom?.run);
  return [...new Set([...forerunnersOf(state), ...reused])].filter((run) => run !== undefined);
}

/** Without those whose cached results were taken: they may be under way. */
function forerunnersOf(state: RunState): string[] {
  const takenOver = [...state.steps.values()].map((step) => step.takenOver?.run);
  const all = [state.run, state.resumes, ...takenOver].filter((run) => run !== undefined);
  return [...new Set(all)];
}

/** Node → keys of the trees where the earlier run was at work, the last first. */
function lastTrees(state: RunState | undefined): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { node, tree } of syncsOf(state)) {
    if (tree) found.set(node, [tree.key, ...found.get(node) ?? []]);
  }
  return found;
}

function syncsOf(state: RunState | undefined): { node: string; tree?: SyncedTree }[] {
  const steps = [...state?.steps.values() ?? []];
  return steps.flatMap(({ attempts }) => attempts.flatMap(({ syncs }) => [...syncs]))
    .toSorted((a, b) => a.at - b.at);
}

/** As `placeOfTree` numbers them. */
function slotOf(
  tree: string,
  { key, project }: { readonly key: string; readonly project: string },
): number | undefined {
  const suffix = tree.slice(key.length);
  if (suffix === "") return 0;
  if (suffix === `@${project}`) return 1;
  const number = suffix.startsWith(`@${project}.`) ? suffix.slice(project.length + 2) : "";
  return /^\d{1,4}$/.test(number) ? Number(number) : undefined;
}
