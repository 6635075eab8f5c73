import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PRIVATE_FILE } from "../core/private_modes.ts";
import type { RunReader } from "../engine/reader.ts";
import { createMetrics, type TransportCounts } from "./metrics.ts";

export interface MetricsFileOptions {
  /** Absolute folder of the run; it exists. */
  readonly folder: string;
  /** Counters of every node's connection, asked for when the run is over. */
  readonly stats?: () => ReadonlyMap<string, TransportCounts>;
  /** Told when the file cannot be written; the run's result stands. */
  readonly warn?: (message: string) => void;
}

/** Leaves `metrics.prom` in the run's folder, whole or not at all. */
export function createMetricsFile(options: MetricsFileOptions): RunReader {
  const metrics = createMetrics();
  return {
    event: (event) => metrics.event(event),
    prepare: metrics.prepare,
    async close() {
      if (options.stats) metrics.setTransports(options.stats());
      const path = join(options.folder, "metrics.prom");
      const draft = `${path}.tmp`;
      const text = await metrics.text();
      try {
        await writeFile(draft, text, { mode: PRIVATE_FILE });
        await rename(draft, path);
      } catch (error) {
        if (!(error instanceof Error && "code" in error)) throw error;
        // Where the folder itself is gone, so is the draft.
        await rm(draft, { force: true }).catch(() => {});
        options.warn?.(`Cannot write metrics.prom of the run: ${error.message}`);
      }
    },
  };
}
