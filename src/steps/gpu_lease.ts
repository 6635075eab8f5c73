/** GPUs for the job of an attempt: the node that has them, and the shell text by which the job holds them. */
import type { Cluster } from "../cluster/cluster.ts";
import { NO_GPU_EXIT, NO_GPU_OUTPUT } from "../cluster/lease.ts";
import type { LeaseWish } from "../cluster/lease_wish.ts";
import type { OpenNode } from "../cluster/node.ts";
import { GridError } from "../core/errors.ts";
import { distinctName } from "../core/ids.ts";
import type { StepHost, StepRequest } from "../engine/ports.ts";
import type { Job, JobExit } from "../transport/job/job.ts";
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

/**
 * The node was chosen a while ago and code was brought there, so its GPUs are worth waiting for; the
 * step's own time-outs end the wait before this does.
 */
const NAMED_WAIT_MS = 12 * 3_600_000;

/** @throws {GridError} what `Cluster.open`, `Cluster.select` and `Cluster.lease` throw */
export async function placeJob(
  request: LeaseRequest,
  host: Pick<StepHost, "signal" | "note">,
  cluster: Pick<Cluster, "open" | "select" | "lease">,
): Promise<JobPlace> {
  const wish = leaseWish(request);
  for (let choice = 1;; choice++) {
    const node = await resolveNode({ ...request, group: wish?.group }, host, cluster);
    if (wish === undefined) return { node, prelude: "" };
    try {
      const prelude = await cluster.lease(node, wish, {
        signal: host.signal,
        onWait: (reason) => host.note({ type: "warned", message: waitWords(node, reason) }),
      });
      return { node, prelude };
    } catch (error) {
      const isTaken = error instanceof GridError && error.code === "no-node";
      if (!isTaken || request.node.kind !== "selector" || choice === MOST_CHOICES) throw error;
    }
  }
}

function waitWords({ node }: OpenNode, reason: string): string {
  return `waits for a GPU on ${node.name}: ${reason}`;
}

/** What the job must hold; undefined where it asks for no GPU. */
function leaseWish({ node, run, step, attempt, resumeJob }: LeaseRequest): LeaseWish | undefined {
  if (node.kind === "named" && node.gpus !== undefined) {
    const { count, step } = node.gpus;
    const group = groupOf(run, step);
    return { gpus: count, minFreeVramBytes: undefined, group, waitMs: NAMED_WAIT_MS };
  }
  if (node.kind !== "selector" || node.selector.gpus === 0) return undefined;
  const { gpus, minFreeVramBytes } = node.selector;
  // Waiting is done by choosing again: another node may become free first. A job that has its node
  // from an earlier runner has no choice.
  const waitMs = resumeJob === undefined ? 0 : NAMED_WAIT_MS;
  return { gpus, minFreeVramBytes, group: groupOf(run, step, attempt), waitMs };
}

/** Under which jobs share GPUs. */
export function groupOf(...words: readonly (string | number)[]): string {
  return distinctName(words.map(String));
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
