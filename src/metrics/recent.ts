/**
 * What happened a moment ago, by the minute. A counter that a file brings every few minutes does not
 * say when it grew, and one that is born with a number never grew at all; this does.
 */

/** What "recent" means, in minutes. */
export const RECENT_MINUTES = 30;

export interface Recent {
  /** Steps by result, per minute since the Unix epoch. */
  readonly steps: Map<number, Map<string, number>>;
  /** Seconds and number of syncs by node, per minute. */
  readonly syncs: Map<number, Map<string, readonly [seconds: number, count: number]>>;
}

export function emptyRecent(): Recent {
  return { steps: new Map(), syncs: new Map() };
}

export function countStep(
  { steps }: Recent,
  { at, state }: { readonly at: number; readonly state: string },
): void {
  const minute = minuteOf(at);
  const counts = steps.get(minute) ?? new Map<string, number>();
  steps.set(minute, counts.set(state, (counts.get(state) ?? 0) + 1));
  forget(steps, minute);
}

export function countSync(
  { syncs }: Recent,
  { at, node, seconds }: { readonly at: number; readonly node: string; readonly seconds: number },
): void {
  const minute = minuteOf(at);
  const counts = syncs.get(minute) ?? new Map<string, readonly [number, number]>();
  const [before, count] = counts.get(node) ?? [0, 0];
  syncs.set(minute, counts.set(node, [before + seconds, count + 1]));
  forget(syncs, minute);
}

export function addRecent(to: Recent, from: Recent): void {
  for (const [minute, counts] of from.steps) {
    const known = to.steps.get(minute) ?? new Map<string, number>();
    for (const [state, count] of counts) known.set(state, (known.get(state) ?? 0) + count);
    to.steps.set(minute, known);
  }
  for (const [minute, counts] of from.syncs) {
    const known = to.syncs.get(minute) ?? new Map<string, readonly [number, number]>();
    for (const [node, [seconds, count]] of counts) {
      const [before, number] = known.get(node) ?? [0, 0];
      known.set(node, [before + seconds, number + count]);
    }
    to.syncs.set(minute, known);
  }
  for (const minutes of [to.steps, to.syncs]) forget(minutes, Math.max(0, ...minutes.keys()));
}

/** Steps by result of the last half hour before `now`, in milliseconds since the Unix epoch. */
export function recentSteps({ steps }: Recent, now: number): Map<string, number> {
  const sum = new Map<string, number>();
  for (const counts of within(steps, now)) {
    for (const [state, count] of counts) sum.set(state, (sum.get(state) ?? 0) + count);
  }
  return sum;
}

/** Mean seconds of a sync to each node within the last half hour. */
export function recentSyncs({ syncs }: Recent, now: number): Map<string, number> {
  const sums = new Map<string, readonly [number, number]>();
  for (const counts of within(syncs, now)) {
    for (const [node, [seconds, count]] of counts) {
      const [before, number] = sums.get(node) ?? [0, 0];
      sums.set(node, [before + seconds, number + count]);
    }
  }
  return new Map([...sums].map(([node, [seconds, count]]) => [node, seconds / count]));
}

function within<C>(minutes: ReadonlyMap<number, C>, now: number): C[] {
  const last = minuteOf(now);
  return [...minutes].flatMap(([minute, counts]) =>
    // Minutes to come stand there where a clock was set back.
    minute > last - RECENT_MINUTES && minute <= last ? [counts] : []
  );
}

/** However long a run is, its tally stays small. */
function forget(minutes: Map<number, unknown>, newest: number): void {
  if (minutes.size <= RECENT_MINUTES) return;
  for (const minute of minutes.keys()) {
    if (minute <= newest - RECENT_MINUTES) minutes.delete(minute);
  }
}

function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000);
}
