/** What other runners have on a node, by the claims that lie there: what a choice adds to its score. */
import type { NodeWork } from "./claim.ts";
import type { Weights } from "./score.ts";

/** Work that was just placed counts as this much of a whole node. */
export const SHARE_PERCENT = 25;
/** As long as the load average needs to see a new job; half of a placement is measured by then. */
const HALF_LIFE_MS = 60_000;
/** Below this it is measured as a whole. */
export const NEGLIGIBLE_POINTS = 0.5;

/** What is left of points that were given so long ago. */
export function faded(points: number, ageMs: number): number {
  return points * 2 ** (-Math.max(0, ageMs) / HALF_LIFE_MS);
}

export function weightOf(gpus: number, { cpuWeight, gpuWeight }: Weights): number {
  return SHARE_PERCENT * (gpus > 0 ? Math.max(gpuWeight, cpuWeight) : cpuWeight);
}

export interface OthersOptions {
  /** Whose own work is counted elsewhere. */
  readonly owner: string;
  /** Which of several nodes on one machine. */
  readonly place: string;
  readonly weights: Weights;
  /** How old the answer is. */
  readonly ageMs: number;
  /** Only what was there before so long. */
  readonly sinceMs?: number | undefined;
}

/** Jobs say that they are there, runners what they are about to start: the greater counts. */
export function othersPoints(work: NodeWork | undefined, options: OthersOptions): number {
  if (work === undefined) return 0;
  const { owner, place, weights, ageMs, sinceMs = 0 } = options;
  const isOthers = (
    each: { readonly owner: string; readonly place: string; readonly ageMs: number },
  ) => each.owner !== owner && each.place === place && each.ageMs >= sinceMs;
  const jobs = work.claims.filter(isOthers);
  // A hold and the jobs that it is for are one piece of work.
  const isHeldFor = new Set(jobs.filter(({ kind }) => kind === "job").map(({ group }) => group));
  const counted = jobs.filter(({ kind, group }) => kind === "job" || !isHeldFor.has(group));
  let points = counted.reduce(
    (sum, job) => sum + faded(weightOf(job.gpus.length, weights), job.ageMs + ageMs),
    0,
  );
  for (const given of work.given.filter(isOthers)) {
    const seen = counted.filter((job) => job.owner === given.owner).length;
    points += Math.max(0, given.count - seen) * faded(weightOf(0, weights), given.ageMs + ageMs);
  }
  return points < NEGLIGIBLE_POINTS ? 0 : points;
}
