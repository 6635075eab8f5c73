/** GPUs for the job of an attempt: the node that has them, and the shell text by which the job holds them. */
import type { Cluster } from "../cluster/cluster.ts";
import { type LeaseWish, NO_GPU_EXIT, NO_GPU_OUTPUT } from "../cluster/lease.ts";
import type { OpenNode } from "../cluster/node.ts";
import { GridError } from "../core/errors.ts";
import { fileNameOf } from "../core/ids.ts";
import type { StepHost, StepRequest } from "../engine/ports.ts";
import type { Job, JobExit } from "../transport/job.ts";
import { resolveNode } from "./placement.ts";

export interface JobPlace {
  readonly node: OpenNode;
  /** Goes before the job's script, on the script's own first line; empty where no GPU is asked for. */
  readonly prelude: string;
}

type LeaseRequest = Pick<
  StepRequest,
  "run" | "step" | "attempt" | "node" | "avoidNodes" | "resumeJob"
>;

/** Somebody may take the GPUs between the choice and the lease; then another choice is made. */
export const MOST_CHOICES = 5;

/** @throws {GridError} what `Cluster.open`, `Cluster.select` and `Cluster.lease` throw */
export async function placeJob(
  request: LeaseRequest,
  host: Pick<StepHost, "signal" | "note">,
  cluster: Pick<Cluster, "open" | "select" | "lease">,
): Promise<JobPlace> {
  const wish = leaseWish(request);
  for (let choice = 1;; choice++) {
    const node = await resolveNode(request, host, cluster);
    if (wish === undefined) return { node, prelude: "" };
    try {
      return { node, prelude: await cluster.lease(node, wish, { signal: host.signal }) };
    } catch (error) {
      const isTaken = error instanceof GridError && error.code === "no-node";
      if (!isTaken || request.node.kind !== "selector" || choice === MOST_CHOICES) throw error;
    }
  }
}

/** What the job must hold; undefined where it asks for no GPU, or runs already. */
function leaseWish(request: LeaseRequest): LeaseWish | undefined {
  const { node, run, step, attempt, resumeJob } = request;
  if (resumeJob !== undefined || node.kind !== "selector" || node.selector.gpus === 0) {
    return undefined;
  }
  const { gpus, minFreeVramBytes } = node.selector;
  const group = fileNameOf(`${run}.${step}.${attempt}`).replaceAll(/[=,]/g, "_");
  // Waiting is done by choosing again: another node may become free first.
  return { gpus, minFreeVramBytes, group, waitMs: 0 };
}

/** Whether the job ended because others took its GPUs while it started. */
export async function isGpuLost(job: Job, exit: JobExit): Promise<boolean> {
  return exit.kind === "code" && exit.code === NO_GPU_EXIT &&
    await job.readOutputFile() === NO_GPU_OUTPUT;
}

/** The end of an attempt whose GPUs were taken again and again. */
export function gpuLost(node: OpenNode): GridError {
  return new GridError({
    code: "no-node",
    message: `Cannot lease GPUs on "${node.node.name}": other jobs took them first`,
    hint: "wait for them with wait: 30m in the selector",
    node: node.node.name,
  });
}
