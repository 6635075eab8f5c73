/** Everything that `grid metrics` tells, from the store and from a look at the nodes. */
import type { NodeHealth } from "../cluster/node.ts";
import type { GridError } from "../core/errors.ts";
import { thrownWords } from "../core/refusal.ts";
import type { Grid } from "../grid.ts";
import type { NodeReading, Reading, ScheduleReading } from "../metrics/metrics.ts";
import type { ScheduleRow } from "../store/schedules.ts";
import { collectTotals } from "../metrics/totals.ts";

export interface CollectOptions {
  readonly signal: AbortSignal;
  /** Whether nodes are asked that nobody asked for a while; else the last look holds, however old. */
  readonly look: boolean;
  readonly expected?: ReadonlyMap<string, number> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Told of what could not be read or kept. */
  readonly warn: (message: string) => void;
}

export async function collectMetrics(grid: Grid, options: CollectOptions): Promise<Reading> {
  const { signal, look, expected, labels, warn } = options;
  const nodes = await grid.cluster.health({ signal, ask: look });
  const told = new Set<string>();
  const work = collectTotals(grid.store.tallies, {
    isAlive: (run) => grid.store.isAlive(run),
    onUnreadable: ({ message }: GridError, run) => {
      if (told.has(run)) return;
      told.add(run);
      warn(`${message}; what cannot be read is not counted`);
    },
    onNotKept: (error) => warn(`Cannot keep the totals: ${thrownWords(error)}`),
  });
  return {
    ...work,
    now: grid.clock.now(),
    schedules: grid.store.schedules.all().map(scheduleReading),
    nodes: nodes.map(nodeReading),
    ...(expected && { expected }),
    ...(labels && { labels }),
  };
}

function scheduleReading(row: ScheduleRow): ScheduleReading {
  const { pipeline, name, started, missed, skipped, failed, isEnabled, paused, nextAt } = row;
  return {
    pipeline,
    schedule: name,
    counts: { started, missed, skipped, failed },
    dueAt: isEnabled && paused === undefined ? nextAt : undefined,
  };
}

function nodeReading(health: NodeHealth): NodeReading {
  const { node, at, status, score, facts, gpuGroups = [] } = health;
  return {
    node,
    at,
    status,
    isDrained: facts && (facts.drains ?? []).length > 0,
    score,
    loadPerCore: facts?.load1 === undefined || !facts.cores ? undefined : facts.load1 / facts.cores,
    gpus: facts === undefined || facts.gpuTool === "failed" ? undefined : {
      leased: facts.gpus.filter(({ leases = [] }) => leases.length > 0).length,
      free: status === "ok" ? gpuGroups.reduce((sum, { free }) => sum + free, 0) : 0,
    },
  };
}
