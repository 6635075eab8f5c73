/** What a project's runs left on the nodes and use no more: folders, and files of jobs that ended. */
import { formatSize } from "../core/size.ts";
import { cleanSets, type OldSet } from "../data/kept.ts";
import { cleanFolders, type OldFolder } from "../sync/clean.ts";
import { projectIdentity } from "../sync/project_identity.ts";
import { renderProblem } from "../terminal/problem.ts";
import { pruneJobs } from "../transport/job/job_list.ts";
import { type OpenedNodes, openMachines } from "./nodes.ts";
import { cleanSubmitted } from "./submitted/clean_submitted.ts";
import type { Session } from "./session.ts";

export interface StaleFiles {
  readonly node: string;
  readonly folders: readonly OldFolder[];
  /** Data sets. */
  readonly data: readonly OldSet[];
  /** Ids. */
  readonly jobs: readonly string[];
  /** Of runs that were submitted there and are over, and Grids of older versions: names below `.grid`. */
  readonly submitted: readonly string[];
}

export interface StaleOptions {
  readonly olderMs: number;
  /** Only say what. */
  readonly dryRun: boolean;
}

export interface FoundStale {
  readonly nodes: readonly StaleFiles[];
  readonly failed: OpenedNodes["failed"];
}

/** All nodes at once; one that cannot be reached is told beside the others. */
export async function cleanNodes(
  session: Session,
  { olderMs, dryRun }: StaleOptions,
): Promise<FoundStale> {
  const { open, failed } = await openMachines(session, { names: undefined, withLocal: true });
  const project = projectIdentity(session.grid.project);
  const minutes = Math.floor(olderMs / 60_000);
  const nodes = await Promise.all(open.map(async ({ node, transport, root }) => ({
    node: node.name,
    folders: await cleanFolders({
      target: { node: node.name, transport, root },
      project,
      minutes,
      dryRun,
      signal: session.signal,
    }),
    data: await cleanSets({
      target: { node: node.name, transport, root },
      minutes,
      dryRun,
      signal: session.signal,
    }),
    jobs: await pruneJobs(transport, root, { minutes, dryRun }),
    submitted: await cleanSubmitted({ node, transport, root }, { session, minutes, dryRun }),
  })));
  return { nodes, failed };
}

export function staleWords({ nodes, failed }: FoundStale, did: string): string {
  const lines = nodes.flatMap(({ node, folders, data, jobs, submitted }) => [
    ...folders.map(({ name, bytes }) =>
      `${did} on ${node}: folder ${name} (${formatSize(bytes)})\n`
    ),
    ...data.map(({ digest, bytes }) =>
      `${did} on ${node}: data set ${digest.slice(0, 12)} (${formatSize(bytes)})\n`
    ),
    ...submitted.map((name) => `${did} on ${node}: .grid/${name}\n`),
    ...(jobs.length === 0 ? [] : [`${did} on ${node}: files of ${countOf(jobs.length, "job")}\n`]),
  ]);
  const bytes = nodes.flatMap(({ folders, data }) => [...folders, ...data]).reduce(
    (sum, each) => sum + each.bytes,
    0,
  );
  const problems = failed.map(({ error }) => renderProblem(error, { color: false }));
  const total = lines.length === 0
    ? `nothing to remove on ${countOf(nodes.length, "node")}\n`
    : `${did} ${formatSize(bytes)} on ${countOf(nodes.length, "node")}\n`;
  return [...lines, total, ...problems].join("");
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
