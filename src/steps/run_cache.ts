/** `cache:` of a command: what stands in for it, and whether what it gave may stand in for others. */
import type { Cluster } from "../cluster/cluster.ts";
import type { OpenNode } from "../cluster/node.ts";
import { lazy } from "../core/lazy.ts";
import type { StepHost, StepOutcome, StepRequest } from "../engine/ports.ts";
import type { RunAction } from "../pipeline/pipeline.ts";
import { onNode, resolveNode, stepFolder, withoutCode } from "./placement.ts";
import type { TreeGate } from "./tree_gate.ts";

type RunRequest = StepRequest<RunAction<string>>;
type Success = Extract<StepOutcome, { status: "succeeded" }>;

const MAKES_NOTHING = "it gave no output, and cache.files does not say what it made";

/** An earlier result, where the step is cached and all that it made is still there. */
export async function standingResult(
  request: RunRequest,
  host: StepHost,
  cluster: Pick<Cluster, "open" | "select">,
): Promise<StepOutcome | undefined> {
  const earlier = request.cache?.earlier;
  if (earlier?.made === undefined) return undefined;
  const name = earlier.node;
  const node = await resolveNode(
    name === undefined ? request : { ...request, node: { kind: "named", name } },
    host,
    cluster,
  );
  const folder = stepFolder(onNode(request, node), node);
  const { lostMade } = await loadMadeFiles();
  const lost = await lostMade(earlier.made, { node, folder, signal: host.signal });
  if (lost === undefined) {
    return { status: "succeeded", outputs: earlier.outputs, reused: earlier };
  }
  const message = `its cached result does not stand: ${lost}`;
  host.note({ type: "warned", message, uncached: lost });
  return undefined;
}

export interface Ended {
  readonly node: OpenNode;
  readonly spec: { readonly cwd: string };
  readonly gate: TreeGate;
  readonly outputs: Success["outputs"];
}

/** Only what this run's own code gave may be used by other runs, with the files that it made. */
export async function fitnessOf(
  { request, host: { signal } }: {
    readonly request: RunRequest;
    readonly host: StepHost;
  },
  { node, spec, gate, outputs }: Ended,
): Promise<Pick<Success, "unfit" | "made">> {
  const { cache } = request;
  if (!cache) return {};
  const unfit = withoutCode(node.node.name, request);
  if (unfit !== undefined) return { unfit };
  const denied = await gate.check(signal);
  if (denied) return { unfit: denied.message };
  if (cache.files) {
    const { measureMade } = await loadMadeFiles();
    return await measureMade(cache.files, { node, folder: spec.cwd, signal });
  }
  return Object.keys(outputs).length > 0 ? {} : { unfit: MAKES_NOTHING };
}

async function loadMadeFiles() {
  return await lazy<typeof import("./made_files.ts")>("./made_files.ts", import.meta.url);
}
