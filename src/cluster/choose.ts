/** Which node takes the work: pure, so that every rule can be tested without a node. */
import type { HealthConfig } from "./config.ts";
import { fittingGpus, lentGpus, whyNot } from "./gpu_choice.ts";
import type { Node, NodeHealth } from "./node.ts";
import { scoreNode } from "./score.ts";
import type { NodeSelector } from "./select.ts";

export interface Candidate {
  readonly node: Node;
  readonly health: NodeHealth;
  /** What is under way there and cannot be measured yet. */
  readonly placed?: PlacedThere | undefined;
}

export interface PlacedThere {
  /** Points on top of the score. */
  readonly points: number;
  /** GPUs that look free and are given away. */
  readonly gpus: number;
}

export interface ChooseOptions {
  readonly selector: NodeSelector;
  readonly weights: Pick<HealthConfig, "cpuWeight" | "gpuWeight">;
  /** Names taken only if nothing else fits. */
  readonly avoid: readonly string[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface PassedOver {
  readonly node: string;
  readonly reason: string;
  /** Waiting cannot change it. */
  readonly isFinal: boolean;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

export interface Choice {
  /** With the score of the GPUs in question; undefined where nothing fits. */
  readonly chosen: Candidate | undefined;
  readonly passedOver: readonly PassedOver[];
}

/**
 * Scores this near to the best are a tie, settled by chance: processes that choose at the same moment
 * would otherwise all take the same node.
 */
const TIE_POINTS = 5;

export function choose(candidates: readonly Candidate[], options: ChooseOptions): Choice {
  const { selector, avoid, random } = options;
  const passedOver: PassedOver[] = [];
  const fitting: Candidate[] = [];
  for (const candidate of candidates) {
    const obstacle = obstacleTo(candidate, selector);
    if (obstacle === undefined) fitting.push(rescored(candidate, options));
    else passedOver.push({ node: candidate.node.name, ...obstacle });
  }
  const preferred = fitting.filter(({ node }) => !avoid.includes(node.name));
  const pool = preferred.length > 0 ? preferred : fitting;
  for (const { node } of fitting.filter((candidate) => !pool.includes(candidate))) {
    passedOver.push({ node: node.name, reason: "an earlier attempt failed there", isFinal: false });
  }
  const tied = nearTies(pool);
  return { chosen: tied[Math.floor(random() * tied.length)], passedOver };
}

/** The best and those that are as good, also by what was measured: a loaded node is no tie. */
function nearTies(pool: readonly Candidate[]): readonly Candidate[] {
  const [best] = pool.toSorted((a, b) => scoreOf(a) - scoreOf(b));
  if (best === undefined) return [];
  const isNear = (a: number, b: number) => a === b || Math.abs(a - b) <= TIE_POINTS;
  return pool.filter((candidate) =>
    isNear(scoreOf(candidate), scoreOf(best)) && isNear(measured(candidate), measured(best))
  );
}

/** Why the configuration alone rules a node out; undefined where it does not. Needs no probe. */
export function ruledOut(node: Node, selector: NodeSelector): PassedOver | undefined {
  const missing = selector.labels.filter((label) => !node.labels.includes(label));
  const reason = missing.length > 0
    ? `it lacks the label ${missing.join(", ")}`
    : node.gpus !== undefined && node.gpus < selector.gpus
    ? `it lends ${node.gpus} of ${selector.gpus} GPUs`
    : undefined;
  return reason === undefined ? undefined : { node: node.name, reason, isFinal: true };
}

/** Why a node cannot take the work; undefined where it can. */
function obstacleTo(candidate: Candidate, selector: NodeSelector): Obstacle | undefined {
  const { node, health } = candidate;
  const unfit = ruledOut(node, selector);
  if (unfit !== undefined) return unfit;
  if (health.status !== "ok") {
    return { reason: health.reason ?? health.status, isFinal: false, hint: health.hint };
  }
  return gpuObstacle(candidate, selector);
}

type Obstacle = Omit<PassedOver, "node">;

function gpuObstacle(
  { node, health, placed }: Candidate,
  selector: NodeSelector,
): Obstacle | undefined {
  const { facts } = health;
  const wantsGpu = selector.gpus > 0 || selector.minFreeVramBytes !== undefined;
  if (!wantsGpu || facts === undefined) return undefined;
  if (facts.gpuTool === "failed") {
    return { reason: facts.gpuProblem ?? "its GPUs do not answer", isFinal: false };
  }
  const lent = lentGpus(node, facts.gpus);
  const wanted = Math.max(1, selector.gpus);
  if (lent.length < wanted) {
    const reason = lent.length === 0 ? "it has no GPU" : `it has ${lent.length} of ${wanted} GPUs`;
    return { reason, isFinal: true };
  }
  const reasons = lent.map((gpu) => whyNot(gpu, selector)).filter((why) => why !== undefined);
  const promised = selector.gpus > 0 ? placed?.gpus ?? 0 : 0;
  const fitting = lent.length - reasons.length - promised;
  if (fitting >= wanted) return undefined;
  if (promised > 0) reasons.push(`${promised} ${promised === 1 ? "is" : "are"} about to be used`);
  const count = wanted > 1 ? `${Math.max(0, fitting)} of ${wanted} GPUs fit: ` : "";
  return { reason: count + reasons.join(", "), isFinal: false };
}

/** With only those GPUs counted in the score that would be used. */
function rescored(candidate: Candidate, { selector, weights }: ChooseOptions): Candidate {
  const { node, health } = candidate;
  if (health.facts === undefined || selector.gpus === 0) return candidate;
  const gpus = fittingGpus(lentGpus(node, health.facts.gpus), selector).slice(0, selector.gpus);
  const scores = scoreNode({
    node,
    facts: health.facts,
    weights,
    gpus,
  });
  return { ...candidate, health: { ...health, ...scores } };
}

function scoreOf(candidate: Candidate): number {
  return measured(candidate) + (candidate.placed?.points ?? 0);
}

function measured({ health }: Candidate): number {
  return health.score ?? Number.POSITIVE_INFINITY;
}
