/** A reading as metrics. Names and labels here are promised to dashboards and alerts. */
import { type Histogram, SYNC_BOUNDS, TASK_BOUNDS } from "./histogram.ts";
import { addNodes } from "./node_metrics.ts";
import { addPipelines } from "./pipeline_metrics.ts";
import { type Metric, Registry } from "./prom_client.ts";
import type { Reading } from "./reading.ts";
import { recentSteps, recentSyncs } from "./recent.ts";
import { addSchedules } from "./schedule_metrics.ts";
import { counter, gauge, single, withZeros } from "./series.ts";
import type { Tally } from "./tally.ts";

/** Shown as 0 before anything happened, so that a rate has a beginning. */
const TASK_RESULTS = ["succeeded", "failed", "timed-out", "cancelled"];
const STEP_RESULTS = [...TASK_RESULTS, "allowed-failure", "skipped", "reused"];

export function readingRegistry(reading: Reading): Registry {
  // A registry of its own: the library's global one would mix several runs of one process.
  const registry = new Registry();
  if (reading.labels) registry.setDefaultLabels(reading.labels);
  addWork(registry, reading);
  addPipelines(registry, { ...reading, results: TASK_RESULTS });
  addSchedules(registry, reading.schedules ?? []);
  addTransfers(registry, reading.tally);
  if (reading.now !== undefined) addRecent(registry, reading.tally, reading.now);
  addNodes(registry, reading);
  return registry;
}

/** One metric as data: what stands in its lines of the text format. */
export interface MetricData {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

export async function metricData(registry: Registry): Promise<MetricData[]> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map(({ name, help, type, values }) => ({
    name,
    help,
    type: String(type),
    values: values.map((value) => ({
      // Parts of a histogram have names of their own.
      name: "metricName" in value ? String(value.metricName) : name,
      labels: Object.fromEntries(
        Object.entries(value.labels).map(([label, word]) => [label, String(word)]),
      ),
      value: value.value,
    })),
  }));
}

function addWork(registry: Registry, { tally, activeTasks }: Reading): void {
  counter(registry, {
    name: "grid_steps_completed_total",
    help: "Steps that ended, by state",
    label: "status",
    values: withZeros(tally.steps, STEP_RESULTS),
  });
  counter(registry, {
    name: "grid_hooks_completed_total",
    help: "Hooks that were called for and ended, by state",
    label: "status",
    values: withZeros(tally.hooks, STEP_RESULTS),
  });
  counter(registry, {
    name: "grid_tasks_completed_total",
    help: "Attempts at steps that ended, by result",
    label: "status",
    values: withZeros(tally.tasks, TASK_RESULTS),
  });
  counter(registry, {
    name: "grid_retries_total",
    help: "Attempts that were followed by another, by the code of their failure",
    label: "code",
    values: tally.retries,
  });
  counter(registry, {
    name: "grid_batch_items_total",
    help: "Items of batches that were worked on, by result",
    label: "status",
    values: withZeros(tally.batchItems, ["succeeded", "failed"]),
  });
  single(registry, {
    name: "grid_active_tasks",
    help: "Attempts under way",
    type: "gauge",
    value: activeTasks,
  });
  histogram(registry, {
    name: "grid_task_duration_seconds",
    help: "Time that attempts took, from their start to their end",
    bounds: TASK_BOUNDS,
    values: tally.taskSeconds,
  });
}

function addTransfers(registry: Registry, { syncSeconds, transfers }: Tally): void {
  histogram(registry, {
    name: "grid_sync_duration_seconds",
    help: "Time that bringing a folder to one node took",
    bounds: SYNC_BOUNDS,
    values: syncSeconds,
  });
  const totals = {
    grid_synced_files_total: ["Files sent to nodes", "syncedFiles"],
    grid_synced_bytes_total: ["Bytes of files sent to nodes", "syncedBytes"],
    grid_fetched_files_total: ["Files brought home from nodes", "fetchedFiles"],
    grid_fetched_bytes_total: ["Bytes of files brought home from nodes", "fetchedBytes"],
  } as const;
  for (const [name, [help, key]] of Object.entries(totals)) {
    single(registry, { name, help, type: "counter", value: transfers.get(key) ?? 0 });
  }
}

function addRecent(registry: Registry, { recent }: Tally, now: number): void {
  gauge(registry, {
    name: "grid_recent_steps",
    help: "Steps that ended within the last 30 minutes, by state",
    label: "status",
    values: withZeros(recentSteps(recent, now), STEP_RESULTS),
  });
  gauge(registry, {
    name: "grid_recent_sync_seconds",
    help: "Mean time of bringing a folder to the node within the last 30 minutes",
    label: "node",
    values: recentSyncs(recent, now),
  });
  single(registry, {
    name: "grid_metrics_timestamp_seconds",
    help: "When these metrics were made",
    type: "gauge",
    value: now / 1000,
  });
}

interface HistogramSpec {
  readonly name: string;
  readonly help: string;
  readonly bounds: readonly number[];
  readonly values: Histogram;
}

/** The library's own takes one observation after the other; these were counted before. */
function histogram(registry: Registry, { name, help, bounds, values }: HistogramSpec): void {
  const sums: number[] = [];
  for (const count of values.counts) sums.push((sums.at(-1) ?? 0) + count);
  const count = sums.at(-1) ?? 0;
  const metric = {
    name,
    help,
    type: "histogram",
    aggregator: "sum",
    get: () =>
      Promise.resolve({
        name,
        help,
        type: "histogram",
        aggregator: "sum",
        values: [
          ...sums.map((value, at) => ({
            metricName: `${name}_bucket`,
            labels: { le: bounds[at] ?? "+Inf" },
            value,
          })),
          { metricName: `${name}_sum`, labels: {}, value: values.sum },
          { metricName: `${name}_count`, labels: {}, value: count },
        ],
      }),
  };
  registry.registerMetric(metric as unknown as Metric);
}
