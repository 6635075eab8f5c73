import { join } from "node:path";
import { PRIVATE_FILE } from "../core/private_modes.ts";
import { thrownWords } from "../core/refusal.ts";
import type { RunReader } from "../engine/reader.ts";
import { expositionText } from "./exposition.ts";
import { readingMetrics } from "./reading_metrics.ts";
import type { Reading } from "./reading.ts";
import { RunCounter } from "./run_counter.ts";
import { addConnections, type Tally, type TransportCounts } from "./tally.ts";

export interface MetricsFileOptions {
  /** Absolute folder of the run; it exists. */
  readonly folder: string;
  /** Counters of every node's connection, asked for when the run is over. */
  readonly stats?: () => ReadonlyMap<string, TransportCounts>;
  /** Given what was counted of a run that is over, for the totals over all runs. */
  readonly settle?: (sum: RunTally) => void;
  /** Told when the file cannot be written; the run's result stands. */
  readonly warn?: (message: string) => void;
}

export interface RunTally {
  readonly tally: Tally;
  readonly connections: ReadonlyMap<string, TransportCounts>;
}

/** Leaves `metrics.prom` in the run's folder, whole or not at all. */
export function createMetricsFile(options: MetricsFileOptions): RunReader {
  const counter = new RunCounter();
  return {
    event: (event) => counter.count(event),
    close() {
      const connections = options.stats?.() ?? new Map<string, TransportCounts>();
      if (counter.isOver) settle(options, { tally: counter.tally, connections });
      writeMetrics(options, { counter, connections });
    },
  };
}

/** What is not kept now is counted from the journal by whoever asks next. */
function settle({ settle, warn }: MetricsFileOptions, sum: RunTally): void {
  try {
    settle?.(sum);
  } catch (error) {
    warn?.(`Cannot add the run to the totals: ${thrownWords(error)}`);
  }
}

interface OwnRun {
  readonly counter: RunCounter;
  readonly connections: ReadonlyMap<string, TransportCounts>;
}

function writeMetrics(
  { folder, warn }: MetricsFileOptions,
  { counter, connections }: OwnRun,
): void {
  const { tally, active } = counter;
  for (const [node, counts] of connections) addConnections(tally, { node, counts });
  const path = join(folder, "metrics.prom");
  const draft = `${path}.tmp`;
  const text = textOf({ tally, activeTasks: active });
  try {
    // Synchronous: into the system's cache it is written sooner than another thread has got it.
    Deno.writeTextFileSync(draft, text, { mode: PRIVATE_FILE });
    Deno.renameSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    removeDraft(draft);
    warn?.(`Cannot write metrics.prom of the run: ${thrownWords(error)}`);
  }
}

function textOf(reading: Reading): string {
  return expositionText(readingMetrics(reading));
}

function removeDraft(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Nothing was written, or the folder itself is gone.
  }
}
