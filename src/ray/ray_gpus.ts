/**
 * GPUs of a node for Grid's own Ray: those that nobody holds when it is started. Ray's session claims them
 * for as long as anything of it lives, so that steps and other accounts see them taken, and `grid health`
 * says by whom.
 */
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import { fittingGpus, lentGpus, ofOneMaker } from "../cluster/gpu_choice.ts";
import { claimPrograms, claimWords, gpuWords } from "../cluster/claim_prelude.ts";
import { claimWord } from "../cluster/claim.ts";
import type { NodeHealth, OpenNode } from "../cluster/node.ts";
import type { RayOptions } from "./lifecycle.ts";

/** What Ray is started with on one node. */
export interface RayGpus {
  /** Undefined lets Ray look for itself. */
  readonly count: number | undefined;
  /** Variables of `ray_start`; none where no GPU is known by name. */
  readonly variables: Readonly<Record<string, string>>;
}

/** @throws {GridError} the signal's reason */
export async function gpusFor(
  { node }: OpenNode,
  { config, health, cluster }: Pick<RayOptions, "config" | "health"> & {
    /** The cluster's random name. */
    readonly cluster: string;
  },
): Promise<RayGpus> {
  const declared = { count: node.gpus, variables: {} };
  const row = await health?.(node.name);
  const gpus = row?.facts?.gpus;
  if (row === undefined || gpus === undefined || row.facts?.gpuTool === "none") return declared;
  const lent = lentGpus(node, gpus);
  const wish = { gpus: 1, minFreeVramBytes: undefined };
  const most = config.gpus ?? lent.length;
  const free = ofOneMaker(fittingGpus(lent, wish), most).slice(0, most);
  tellOthers(node.name, { row, free: free.length, most: Math.min(most, gpus.length) });
  if (free.length === 0) {
    // The runtime of AMD takes an empty list for none; that of NVIDIA, and Ray, for an empty one.
    const none = gpus.some(({ maker }) => maker === "amd") ? "=-1" : "=";
    return { count: 0, variables: { HIDE_GPUS: none } };
  }
  const group = `ray ${cluster}`;
  const words = { run: "ray", step: "grid cluster" };
  return {
    count: free.length,
    variables: {
      CLAIM_PROGRAM: claimPrograms(),
      CLAIM_WORDS: claimWords({
        node,
        wish: { ...wish, group, words, waitMs: 0 },
        project: "-",
        owner: cluster,
      }),
      CLAIM_WISH: [free.length, claimWord(group), "no", ...gpuWords(free)].join(" "),
    },
  };
}

function tellOthers(
  node: string,
  { row, free, most }: { readonly row: NodeHealth; readonly free: number; readonly most: number },
): void {
  const problem = row.facts?.gpuProblem;
  if (problem !== undefined) {
    getLogger("ray").warn("{node}: Ray gets no GPU there: {problem}", { node, problem });
  } else if (free < most) {
    const words = "{node}: Ray gets {free} of {most} GPUs, others hold the rest; see grid health";
    getLogger("ray").warn(words, { node, free, most });
  }
}

/** Between the look and the claim somebody else was faster. */
export function takenGpus(node: string): GridError {
  return new GridError({
    code: "no-node",
    message: `Cannot start Ray on ${node}: others took its GPUs first`,
    hint: "grid cluster start looks again; grid health shows who holds what",
    node,
  });
}
