/** GPUs for the job of an attempt: the node that has them, and the shell text by which the job holds them. */
import type { Cluster } from "../cluster/cluster.ts";
import { LOCAL_NODE } from "../cluster/defaults.ts";
import { NO_CLAIM_OUTPUT, NO_GPU_EXIT, NO_GPU_OUTPUT } from "../cluster/claim_prelude.ts";
import type { ClaimWish, JobClaim } from "../cluster/claim_wish.ts";
import type { OpenNode } from "../cluster/node.ts";
import { GridError, isAboutNode } from "../core/errors.ts";
import { distinctName } from "../core/file_names.ts";
import type { StepHost, StepRequest } from "../engine/ports.ts";
import type { Job, JobExit } from "../transport/job/job.ts";
import { resolveNode } from "./placement.ts";

export interface JobPlace extends JobClaim {
  readonly node: OpenNode;
}

type LeaseRequest = Pick<
  StepRequest,
  "run" | "step" | "attempt" | "node" | "avoidNodes" | "resumeJob" | "seesAllGpus" | "folders"
>;

/** Somebody may take the GPUs between the choice and the claim; then another choice is made. */
export const MOST_CHOICES = 5;

/**
 * The node was chosen a while ago and code was brought there, so its GPUs are worth waiting for; the
 * step's own time-outs end the wait before this does.
 */
const NAMED_WAIT_MS = 12 * 3_600_000;

/** @throws {GridError} what `Cluster.open`, `Cluster.select` and `Cluster.claim` throw */
export async function placeJob(
  request: LeaseRequest,
  host: Pick<StepHost, "signal" | "note">,
  cluster: Pick<Cluster, "open" | "select" | "claim">,
): Promise<JobPlace> {
  const wish = claimWish(request);
  const unusable: string[] = [];
  for (let choice = 1;; choice++) {
    const { group, words } = wish;
    const avoidNodes = [...request.avoidNodes, ...unusable];
    const node = await resolveNode({ ...request, avoidNodes, group, words }, host, cluster);
    // Nobody chooses this machine's own project folder.
    if (wish.gpus === 0 && node.node.name === LOCAL_NODE) return { node, prelude: "" };
    try {
      const claim = await cluster.claim(node, wish, {
        signal: host.signal,
        onWait: (reason) => host.note({ type: "warned", message: waitWords(node, reason) }),
      });
      return { node, ...claim };
    } catch (error) {
      host.signal.throwIfAborted();
      const { name } = node.node;
      if (mayMove(request, error) && !unusable.includes(name)) {
        unusable.push(name);
        host.note({ type: "warned", message: `passes over ${name}: ${error.message}` });
        continue;
      }
      const isTaken = error instanceof GridError && error.code === "no-node";
      if (!isTaken || request.node.kind !== "selector" || choice >= MOST_CHOICES) throw error;
    }
  }
}

/** Nothing has begun on a node that was not asked for by name, and another may be better. */
function mayMove({ node, resumeJob }: LeaseRequest, error: unknown): error is GridError {
  return node.kind !== "named" && resumeJob === undefined && error instanceof GridError &&
    isAboutNode(error);
}

function waitWords({ node }: OpenNode, reason: string): string {
  return `waits on ${node.name}: ${reason}`;
}

/** What the job must hold; with no GPUs where it asks for none. */
function claimWish(
  { node, run, step, attempt, resumeJob, seesAllGpus: seesAll }: LeaseRequest,
): ClaimWish {
  const words = { run, step };
  if (node.kind === "named" && node.gpus !== undefined) {
    const { count, step } = node.gpus;
    const group = groupOf(run, step);
    return { gpus: count, minFreeVramBytes: undefined, group, words, waitMs: NAMED_WAIT_MS };
  }
  const group = groupOf(run, step, attempt);
  if (node.kind !== "selector" || node.selector.gpus === 0) {
    return { gpus: 0, minFreeVramBytes: undefined, group, words, waitMs: 0, seesAll };
  }
  const { gpus, minFreeVramBytes, model, share } = node.selector;
  // Waiting is done by choosing again: another node may become free first. A job that has its node
  // from an earlier runner has no choice.
  const waitMs = resumeJob === undefined ? 0 : NAMED_WAIT_MS;
  return { gpus, minFreeVramBytes, model, share, group, words, waitMs };
}

/** Under which jobs share GPUs. */
export function groupOf(...words: readonly (string | number)[]): string {
  return distinctName(words.map(String));
}

/**
 * Whether the job ended because others took its GPUs while it started.
 *
 * @throws {GridError} `workspace` where it could not claim any on its node
 */
export async function isGpuLost(
  job: Job,
  { exit, node: { node } }: { readonly exit: JobExit; readonly node: OpenNode },
): Promise<boolean> {
  if (exit.kind !== "code" || exit.code !== NO_GPU_EXIT) return false;
  const output = await job.readOutputFile();
  if (!output.startsWith(NO_CLAIM_OUTPUT)) return output === NO_GPU_OUTPUT;
  throw noClaim(node.name, output.slice(NO_CLAIM_OUTPUT.length).trim());
}

/** The reason says what to do as well, behind a colon. */
function noClaim(node: string, reason: string): GridError {
  const at = reason.lastIndexOf("): ");
  return new GridError({
    code: "workspace",
    message: `Cannot claim GPUs on "${node}": ${at < 0 ? reason : reason.slice(0, at + 1)}`,
    hint: at < 0 ? undefined : reason.slice(at + 3),
    node,
  });
}

/** The end of an attempt whose GPUs were taken again and again. */
export function gpuLost(node: OpenNode): GridError {
  return new GridError({
    code: "no-node",
    message: `Cannot claim GPUs on "${node.node.name}": other jobs took them first`,
    hint: "wait for them with wait: 30m in the selector",
    node: node.node.name,
  });
}
