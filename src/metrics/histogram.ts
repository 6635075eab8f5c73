/** Observations by size, as plain numbers that add up: over steps, over runs, over processes. */

export interface Histogram {
  /** Observations up to and including each bound of the metric, and beyond the last one. */
  readonly counts: number[];
  sum: number;
}

/** From a command that only prints to a training of a day, in seconds. */
export const TASK_BOUNDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200, 86_400];
export const SYNC_BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export function emptyHistogram(bounds: readonly number[]): Histogram {
  return { counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 };
}

export function observe(
  histogram: Histogram,
  { value, bounds }: { readonly value: number; readonly bounds: readonly number[] },
): void {
  const at = bounds.findIndex((bound) => value <= bound);
  const bucket = at < 0 ? bounds.length : at;
  histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  histogram.sum += value;
}

export function addHistogram(to: Histogram, from: Histogram): void {
  for (const [at, count] of from.counts.entries()) to.counts[at] = (to.counts[at] ?? 0) + count;
  to.sum += from.sum;
}
