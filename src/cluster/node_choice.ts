/** Which node takes the work: pure, so that every rule can be tested without a node. */
import type { HealthConfig } from "./config.ts";
import { formatSize } from "../core/size.ts";
import { lentGpus } from "./gpu_choice.ts";
import { type Asker, type GpuTurn, gpuTurn } from "./gpu_turn.ts";
import type { GpuFacts, Node, NodeFacts, NodeHealth } from "./node.ts";
import { scoreNode } from "./score.ts";
import { otherNames } from "./shared_home.ts";
import type { NodeSelector } from "./node_selector.ts";

export interface Candidate {
  readonly node: Node;
  readonly health: NodeHealth;
  /** What is under way there and cannot be measured yet. */
  readonly placed?: PlacedThere | undefined;
}

export interface PlacedThere {
  /** Points on top of the score. */
  readonly points: number;
  /** GPUs that look free and are given away, by `claimKey`. */
  readonly gpus: ReadonlySet<string>;
}

export interface ChooseOptions {
  readonly selector: NodeSelector;
  readonly weights: Pick<HealthConfig, "cpuWeight" | "gpuWeight">;
  /** Names taken only if nothing else fits. */
  readonly avoid: readonly string[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Whose place in the line counts as ours. */
  readonly asker?: Asker | undefined;
  /** Under which the GPUs will be claimed. */
  readonly group?: string | undefined;
}

export interface PassedOver {
  readonly node: string;
  readonly reason: string;
  /** Waiting cannot change it. */
  readonly isFinal: boolean;
  /** Where GPUs have to be waited for: how the line stands. */
  readonly turn?: Pick<GpuTurn, "before" | "startsInMs"> | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

export interface Choice {
  /** With the score of the GPUs in question; undefined where nothing fits. */
  readonly chosen: Candidate | undefined;
  /** It is to be avoided, and nothing else fits. */
  readonly isAvoided: boolean;
  /** GPUs of the chosen one, the best first; as many as wanted, or more. */
  readonly gpus: readonly GpuFacts[];
  readonly passedOver: readonly PassedOver[];
}

/**
 * Scores this near to the best are a tie, settled by chance: processes that choose at the same moment
 * would otherwise all take the same node.
 */
const TIE_POINTS = 5;

export function choose(candidates: readonly Candidate[], options: ChooseOptions): Choice {
  const { random } = options;
  const avoid = withOtherNames(candidates, options.avoid);
  const passedOver: PassedOver[] = [];
  const fitting: Candidate[] = [];
  const gpus = new Map<string, readonly GpuFacts[]>();
  for (const candidate of candidates) {
    const fit = fitOf(candidate, options);
    if ("reason" in fit) {
      passedOver.push({ node: candidate.node.name, ...fit });
    } else {
      gpus.set(candidate.node.name, fit.gpus);
      fitting.push(fit.candidate);
    }
  }
  const preferred = fitting.filter(({ node }) => !avoid.includes(node.name));
  const pool = preferred.length > 0 ? preferred : fitting;
  for (const { node } of fitting.filter((candidate) => !pool.includes(candidate))) {
    passedOver.push({ node: node.name, reason: "an earlier attempt failed there", isFinal: false });
  }
  const tied = nearTies(pool);
  const chosen = tied[Math.floor(random() * tied.length)];
  const isAvoided = preferred.length === 0;
  return { chosen, isAvoided, gpus: gpus.get(chosen?.node.name ?? "") ?? [], passedOver };
}

/** A machine that failed has failed under all of its names. */
function withOtherNames(
  candidates: readonly Candidate[],
  avoid: readonly string[],
): readonly string[] {
  const twins = otherNames(candidates.map(({ health }) => health), avoid);
  return [...avoid, ...twins.map(({ node }) => node)];
}

/** Whether no node that is still unknown could be more than as good: none has a score below 0. */
export function isUnbeatable({ chosen, isAvoided }: Choice): boolean {
  return chosen !== undefined && !isAvoided && scoreOf(chosen) <= TIE_POINTS;
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
  const reason = selector.exclude?.includes(node.name)
    ? "it is excluded"
    : missing.length > 0
    ? `it lacks the label ${missing.join(", ")}`
    : node.gpus !== undefined && node.gpus < selector.gpus
    ? `it lends ${node.gpus} of ${selector.gpus} GPUs`
    : undefined;
  return reason === undefined ? undefined : { node: node.name, reason, isFinal: true };
}

type Obstacle = Omit<PassedOver, "node">;
type Fit = { readonly candidate: Candidate; readonly gpus: readonly GpuFacts[] };

/** The node with what the work would have there, or why it cannot take the work. */
function fitOf(candidate: Candidate, options: ChooseOptions): Fit | Obstacle {
  const { node, health } = candidate;
  const { selector } = options;
  const unfit = ruledOut(node, selector);
  if (unfit !== undefined) return unfit;
  if (health.status !== "ok") {
    const isFinal = health.isLasting ?? false;
    return { reason: health.reason ?? health.status, isFinal, hint: health.hint };
  }
  const short = health.facts && shortOf(health.facts, selector);
  if (short !== undefined) return short;
  const gpus = gpusFor(candidate, options);
  if ("reason" in gpus) return gpus;
  const scored = rescored(candidate, { ...options, gpus });
  const { score } = scored.health;
  if (selector.maxScore !== undefined && (score ?? Infinity) > selector.maxScore) {
    const words = score?.toFixed(1) ?? "unknown";
    return {
      reason: `its score is ${words}, at most ${selector.maxScore} is wanted`,
      isFinal: false,
    };
  }
  return { candidate: scored, gpus };
}

/** What is not known is not enough. */
function shortOf(facts: NodeFacts, selector: NodeSelector): Obstacle | undefined {
  const { minFreeMemoryBytes: memory, minFreeDiskBytes: disk, maxLoad } = selector;
  const { memoryTotalBytes, memoryAvailableBytes, diskFreeBytes, load1, cores } = facts;
  if (memory !== undefined && !((memoryAvailableBytes ?? -1) >= memory)) {
    const reason = memoryAvailableBytes === undefined
      ? "it does not say how much memory is free"
      : `it has ${formatSize(memoryAvailableBytes)} of memory free, ${
        formatSize(memory)
      } are wanted`;
    return { reason, isFinal: (memoryTotalBytes ?? memory) < memory };
  }
  if (disk !== undefined && !((diskFreeBytes ?? -1) >= disk)) {
    const reason = diskFreeBytes === undefined
      ? "it does not say how much of its disk is free"
      : `its disk has ${formatSize(diskFreeBytes)} free, ${formatSize(disk)} are wanted`;
    return { reason, isFinal: true, hint: "make room in remote_root, or ask for less" };
  }
  const load = load1 === undefined || !cores ? Number.POSITIVE_INFINITY : load1 / cores;
  if (maxLoad !== undefined && load > maxLoad) {
    const words = Number.isFinite(load) ? `${load.toFixed(2)} per core` : "unknown";
    return { reason: `its load is ${words}, at most ${maxLoad} is wanted`, isFinal: false };
  }
  return undefined;
}

function gpusFor(
  { node, health, placed }: Candidate,
  { selector, asker, group }: ChooseOptions,
): readonly GpuFacts[] | Obstacle {
  const { facts } = health;
  const wantsGpu = selector.gpus > 0 || selector.minFreeVramBytes !== undefined;
  if (!wantsGpu || facts === undefined) return [];
  if (facts.gpuTool === "failed") {
    return { reason: facts.gpuProblem ?? "its GPUs do not answer", isFinal: false };
  }
  const lent = lentGpus(node, facts.gpus);
  const wanted = Math.max(1, selector.gpus);
  if (lent.length < wanted) {
    const reason = lent.length === 0 ? "it has no GPU" : `it has ${lent.length} of ${wanted} GPUs`;
    return { reason, isFinal: true };
  }
  const { claimsProblem } = facts;
  if (claimsProblem !== undefined) {
    return { reason: claimsProblem.words, isFinal: true, hint: claimsProblem.cure };
  }
  if (facts.work?.isWhole === false) {
    return { reason: "it could not tell in time who holds its GPUs", isFinal: false };
  }
  const { gpus, reason, isFinal, before, startsInMs } = gpuTurn(node, {
    facts,
    wish: { ...selector, group },
    asker,
    promised: placed?.gpus,
  });
  return gpus ?? { reason, isFinal, turn: { before, startsInMs } };
}

/** With only those GPUs counted in the score that would be used. */
function rescored(
  candidate: Candidate,
  { selector, weights, gpus }: ChooseOptions & { readonly gpus: readonly GpuFacts[] },
): Candidate {
  const { node, health } = candidate;
  if (health.facts === undefined || selector.gpus === 0) return candidate;
  const scores = scoreNode({
    node,
    facts: health.facts,
    weights,
    gpus: gpus.slice(0, selector.gpus),
  });
  return { ...candidate, health: { ...health, ...scores } };
}

function scoreOf(candidate: Candidate): number {
  return measured(candidate) + (candidate.placed?.points ?? 0);
}

function measured({ health }: Candidate): number {
  return health.score ?? Number.POSITIVE_INFINITY;
}
