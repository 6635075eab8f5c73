/**
 * Fresh placements, remembered across processes. A job's load shows in the load average only after a
 * minute, and in the cache after another; until then each placement counts as load of its own, or ten
 * runs in a minute would all choose the same node.
 */
import type { HealthCache } from "./cluster.ts";
import type { Node } from "./node.ts";
import { nodeKey, parseObject } from "./row_cache.ts";
import type { Weights } from "./score.ts";

/** A fresh placement counts as this much of a whole node. */
const SHARE_PERCENT = 25;
/** As long as the load average needs to see a new job. */
const HALF_LIFE_MS = 60_000;
/** Below this the rest is forgotten. */
const NEGLIGIBLE = 0.5;

interface PenaltyOptions {
  readonly nodes: readonly Node[];
  readonly now: number;
}

/** Penalty per node at `now`, in points of the score. */
export function loadPenalties(
  cache: HealthCache,
  { nodes, now }: PenaltyOptions,
): ReadonlyMap<Node, number> {
  const rows = cache.load(nodes.map(penaltyKey));
  return new Map(nodes.map((node) => {
    const row = rows.get(penaltyKey(node));
    const points = parseObject(row?.json)?.["points"];
    const isSound = row !== undefined && row.at <= now && typeof points === "number" && points > 0;
    return [node, isSound ? decayed(points, now - row.at) : 0];
  }));
}

export interface Placed {
  readonly node: Node;
  readonly now: number;
  readonly gpus: number;
  readonly weights: Weights;
}

/** Adds one placement to what is left of the earlier ones. */
export function addPenalty(cache: HealthCache, { node, now, gpus, weights }: Placed): void {
  const before = loadPenalties(cache, { nodes: [node], now }).get(node) ?? 0;
  const weight = gpus > 0 ? Math.max(weights.gpuWeight, weights.cpuWeight) : weights.cpuWeight;
  const json = JSON.stringify({ points: before + SHARE_PERCENT * weight });
  cache.save(new Map([[penaltyKey(node), { at: now, json }]]));
}

function decayed(points: number, ageMs: number): number {
  const left = points * 2 ** (-ageMs / HALF_LIFE_MS);
  return left < NEGLIGIBLE ? 0 : left;
}

function penaltyKey(node: Node): string {
  return `placed ${nodeKey(node)}`;
}
