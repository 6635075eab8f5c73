/** Where an attempt runs: its node and the folder it starts in. Shared by the step kinds. */
import { isAbsolute, join } from "node:path/posix";
import type { Cluster } from "../cluster/cluster.ts";
import { isAboutNode, toGridError } from "../core/errors.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { JobWords } from "../cluster/claim_wish.ts";
import type { NodeSelector } from "../cluster/node_selector.ts";
import { LOCAL_NODE } from "../cluster/defaults.ts";
import { distinctName } from "../core/file_names.ts";
import type { Action } from "../pipeline/pipeline.ts";
import { own } from "../core/own.ts";
import type { StepHost, StepRequest } from "../engine/ports.ts";
import { shorten } from "./name_list.ts";

export const ANY_NODE: NodeSelector = {
  gpus: 0,
  minFreeVramBytes: undefined,
  labels: [],
  among: [],
  waitMs: 0,
};

/** Any node; where a sync before the step brought something, one of those that have it. */
export function anyNodeWith(folders: StepRequest["folders"] = {}): NodeSelector {
  return { ...ANY_NODE, among: Object.keys(folders).filter((name) => name !== LOCAL_NODE) };
}

interface PlacementRequest
  extends Pick<StepRequest, "run" | "step" | "attempt" | "node" | "avoidNodes" | "resumeJob"> {
  /** Where its code is. */
  readonly folders?: StepRequest["folders"] | undefined;
  /** Under which the attempt will claim its GPUs. */
  readonly group?: string | undefined;
  /** What it is, as others see it on its node. */
  readonly words?: JobWords | undefined;
}

/** What an attempt was given counts on its node until it is over: `Cluster.release`. */
export function placeHolder(
  { run, step, attempt }: Pick<StepRequest, "run" | "step" | "attempt">,
): string {
  return `${run} ${step} ${attempt}`;
}

/**
 * Opens the node of an attempt and journals which it is: the one that still runs its job, the one
 * the pipeline names, or the best that fits.
 *
 * @throws {GridError} what `Cluster.open` and `Cluster.select` throw
 */
export async function resolveNode(
  request: PlacementRequest,
  host: Pick<StepHost, "signal" | "note">,
  cluster: Pick<Cluster, "open" | "select">,
): Promise<OpenNode> {
  const { signal } = host;
  const name = request.resumeJob?.node ??
    (request.node.kind === "named" ? request.node.name : undefined);
  if (name !== undefined) {
    const node = await cluster.open(name, { signal });
    host.note({ type: "node.chosen", node: node.node.name });
    return node;
  }
  return await openBest(request, host, cluster);
}

/** Nothing was started yet: a node that cannot be used after all makes room for the next best. */
async function openBest(
  request: PlacementRequest,
  host: Pick<StepHost, "signal" | "note">,
  cluster: Pick<Cluster, "open" | "select">,
): Promise<OpenNode> {
  const { signal } = host;
  const selector = request.node.kind === "selector"
    ? request.node.selector
    : anyNodeWith(request.folders);
  const unusable: string[] = [];
  for (;;) {
    const { node, health, passedOver } = await cluster.select(selector, {
      signal,
      avoid: [...request.avoidNodes, ...unusable],
      holder: placeHolder(request),
      group: request.group,
      words: request.words ?? { run: request.run, step: request.step },
      onWait: (message) => host.note({ type: "warned", message }),
    });
    host.note({
      type: "node.chosen",
      node,
      ...(health.score === undefined ? {} : { score: health.score }),
      passedOver,
    });
    try {
      const opened = await cluster.open(node, { signal });
      const message = withoutCode(node, request);
      if (message !== undefined) host.note({ type: "warned", message });
      return opened;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toGridError(thrown);
      // Chosen although it has failed already: nothing else fits.
      if (!isAboutNode(error) || unusable.includes(node)) throw error;
      unusable.push(node);
      host.note({ type: "warned", message: `passes over ${node}: ${error.message}` });
    }
  }
}

/**
 * One clause about a node that a selector led to, away from where the syncs before the step brought
 * something: it offers what was asked for, so it is taken all the same.
 */
export function withoutCode(
  name: string,
  { node, folders }: Pick<PlacementRequest, "node" | "folders">,
): string | undefined {
  const { among } = anyNodeWith(folders);
  if (node.kind !== "selector" || among.length === 0 || among.includes(name)) return undefined;
  return `no sync before it brought anything to ${name}: what they brought is on ${shorten(among)}`;
}

/** Absolute folder of what was synced to the node, else the node's workspace. */
export function workFolder({ folders }: Pick<StepRequest, "folders">, node: OpenNode): string {
  return own(folders, node.node.name) ?? node.root;
}

/** Absolute folder an attempt starts in: the one synced to its node, else the node's workspace. */
export function stepFolder(
  request: Pick<StepRequest, "folders" | "workingDirectory">,
  node: OpenNode,
): string {
  const base = workFolder(request, node);
  const folder = request.workingDirectory;
  if (folder === undefined) return base;
  if (folder === "~" || folder.startsWith("~/")) return join(node.home, folder.slice(1));
  return isAbsolute(folder) ? folder : join(base, folder);
}

/**
 * Absolute folder on the node that is the step's own, and a cell's own, through retries, resumes and new
 * runs of the project: for checkpoints.
 */
export function stateFolder(
  { pipeline, step }: Pick<StepRequest, "pipeline" | "step">,
  node: OpenNode,
  project: string,
): string {
  return join(node.root, ".grid", "state", project, distinctName([pipeline]), distinctName([step]));
}

/** The request as it is on the node that was chosen. */
export function onNode<A extends Action<string>>(
  request: StepRequest<A>,
  { node: { name, environment } }: Pick<OpenNode, "node">,
): StepRequest<A> {
  const there = request.forNode?.({ name, vars: environment?.vars ?? {} });
  // What a step does is of the same kind wherever it is done.
  return there === undefined ? request : there as StepRequest<A>;
}

/** Folders that come first on an attempt's PATH: what `grid setup` made on the node. */
export function pathPrefix(node: OpenNode): readonly string[] {
  return [join(node.root, "grid_env", "bin")];
}
