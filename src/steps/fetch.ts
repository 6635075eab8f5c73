/** `fetch`: results from a node to this machine. */
import { join, relative, resolve } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { GridError } from "../core/errors.ts";
import { own } from "../core/own.ts";
import type { StepHost, StepKind, StepOutcome, StepRequest } from "../engine/ports.ts";
import type { FetchAction } from "../pipeline/pipeline.ts";
import { fetchPlace } from "../pipeline/fetch_place.ts";
import { fetchFiles } from "../sync/fetch.ts";
import { isPrivate } from "../sync/fetch_listing.ts";
import { FetchedFiles } from "./fetched_files.ts";
import { shorten } from "./name_list.ts";
import { onNode, resolveNode, stepFolder } from "./placement.ts";
import type { RunTrees } from "./run_trees.ts";
import { freshnessOf } from "./stale_result.ts";
import { TreeGate } from "./tree_gate.ts";

export interface FetchStepDeps {
  readonly cluster: Pick<Cluster, "open" | "select">;
  /** Absolute project folder. */
  readonly project: string;
  /** Absent: whose folder it is that files come from is not asked. */
  readonly trees?: RunTrees | undefined;
}

export function createFetchStep(deps: FetchStepDeps): StepKind<"fetch"> {
  const fetched = new FetchedFiles();
  return { kind: "fetch", run: (request, host) => runFetch(request, { host, deps, fetched }) };
}

interface Context {
  readonly host: StepHost;
  readonly deps: FetchStepDeps;
  readonly fetched: FetchedFiles;
}

async function runFetch(
  request: StepRequest<FetchAction<string>>,
  { host, deps, fetched }: Context,
): Promise<StepOutcome> {
  const node = await resolveNode(request, host, deps.cluster);
  const there = onNode(request, node);
  const place = fetchPlace(request.action.to, node.node.name);
  if (isPrivate(place)) {
    throw new GridError({
      code: "sync",
      message: `Cannot fetch to "${place}": nothing from a node lands in .git or .grid`,
      hint: "Give fetch.to another folder",
    });
  }
  const to = resolve(deps.project, place);
  // Steps may have changed files there; but results of another run's code are not this one's.
  const gate = new TreeGate(node, { request, trees: deps.trees });
  const denied = await gate.check(host.signal, { looks: false });
  if (denied) throw denied;
  const folder = stepFolder(there, node);
  const { files, bytes, skipped, isVerified, newest } = await fetchFiles({
    transport: node.transport,
    folder,
    from: there.action.from,
    to,
    keptFolder: join(deps.project, ".grid", "cache", "fetch"),
    accept: (paths) => fetched.claim(paths, { step: request.step, to }),
    progress: (it) => host.note({ type: "sync.progressed", ...it }),
    signal: host.signal,
  });
  host.note({ type: "fetch.finished", node: node.node.name, folder: to, files, bytes });
  if (skipped.length > 0) {
    const names = shorten(skipped.map(({ path, reason }) => `${path} (${reason})`));
    host.note({ type: "warned", message: `Not fetched from ${node.node.name}: ${names}` });
  }
  const tree = own(request.trees ?? {}, node.node.name);
  if (request.isBehindNewWork && tree) {
    const freshness = freshnessOf(deps.trees, host);
    for (const { pattern, path, ageMs } of newest) {
      const inTree = relative(tree.folder, join(folder, path));
      // What lies beside the run's own tree may be of any time.
      if (inTree.startsWith("../")) continue;
      const what = pattern === path ? "what it fetches" : `all that "${pattern}" fetches`;
      freshness?.check({ what, path: inTree, ageMs });
    }
  }
  if (!isVerified) {
    const message = `Not compared by SHA-256: ${node.node.name} has neither sha256sum nor shasum`;
    host.note({ type: "warned", message });
  }
  return { status: "succeeded", outputs: { files: [...files], bytes, folder: to } };
}
