/** Tells the totals of a run's connections while it goes on, so that a link in trouble is seen then. */
import type { Clock } from "../core/clock.ts";
import { thrownWords } from "../core/refusal.ts";
import { differences, type RunTotals } from "./totals.ts";
import type { TransportCounts } from "./tally.ts";

export interface ConnectionWatchOptions {
  readonly totals: RunTotals;
  /** Counters of every node's connection since this process began. */
  readonly stats: () => ReadonlyMap<string, TransportCounts>;
  readonly clock: Clock;
  /** Told once where they cannot be kept; the run goes on. */
  readonly warn: (message: string) => void;
}

export interface ConnectionWatch extends Disposable {
  /** Since the watch began. */
  stats(): ReadonlyMap<string, TransportCounts>;
}

const EVERY_MS = 15_000;

export function watchConnections(options: ConnectionWatchOptions): ConnectionWatch {
  const before = new Map(options.stats());
  const stats = () => differences(options.stats(), before);
  const over = new AbortController();
  keepUntil(over.signal, { ...options, stats }).catch((error: unknown) => {
    if (over.signal.aborted) return;
    const why = thrownWords(error);
    options.warn(`Cannot keep the counts of connections: ${why}`);
  });
  return { stats, [Symbol.dispose]: () => over.abort() };
}

async function keepUntil(
  signal: AbortSignal,
  { totals, stats, clock }: ConnectionWatchOptions,
): Promise<void> {
  for (;;) {
    await clock.sleep(EVERY_MS, { signal });
    totals.keepConnections(stats());
  }
}
