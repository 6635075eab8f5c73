/** The numbers of one run: in its folder, and in the totals over all runs. */
import type { Clock } from "../core/clock.ts";
import type { RunReader } from "../engine/reader.ts";
import { type ConnectionWatch, watchConnections } from "./connection_watch.ts";
import { createMetricsFile } from "./metrics_file.ts";
import { RunTotals, type TallyLedger } from "./totals.ts";
import type { TransportCounts } from "./tally.ts";

export interface RunMetricsOptions {
  readonly run: string;
  /** Absolute folder of the run; it exists. */
  readonly folder: string;
  readonly ledger: TallyLedger;
  readonly clock: Clock;
  /** Counters of every node's connection since this process began. */
  readonly stats: () => ReadonlyMap<string, TransportCounts>;
  /** Told what cannot be kept; the run's result stands. */
  readonly warn: (message: string) => void;
}

export function createRunMetrics(options: RunMetricsOptions): RunReader {
  const totals = new RunTotals(options.ledger, options.run);
  let watch: ConnectionWatch | undefined;
  const file = createMetricsFile({
    ...options,
    stats: () => watch?.stats() ?? new Map(),
    settle: (sum) => totals.settle(sum),
  });
  return {
    ...file,
    event(event, state) {
      watch ??= watchConnections({ ...options, totals });
      file.event(event, state);
    },
    async close() {
      watch?.[Symbol.dispose]();
      await file.close?.();
    },
  };
}
