/** A reading as metrics. Names and labels here are promised to dashboards and alerts. */
import { type Histogram, SYNC_BOUNDS, TASK_BOUNDS } from "./histogram.ts";
import { addNodes } from "./node_metrics.ts";
import { addPipelines } from "./pipeline_metrics.ts";
import type { Reading } from "./reading.ts";
import { recentSteps, recentSyncs } from "./recent.ts";
import { addSchedules } from "./schedule_metrics.ts";
import { counter, gauge, type MetricData, type Metrics, single, withZeros } from "./series.ts";
import type { Tally } from "./tally.ts";

/** Shown as 0 before anything happened, so that a rate has a beginning. */
const TASK_RESULTS = ["succeeded", "failed", "timed-out", "cancelled"];
const STEP_RESULTS = [...TASK_RESULTS, "allowed-failure", "skipped", "reused"];

export function readingMetrics(reading: Reading): MetricData[] {
  const metrics: Metrics = [];
  addWork(metrics, reading);
  addPipelines(metrics, { ...reading, results: TASK_RESULTS });
  addSchedules(metrics, reading.schedules ?? []);
  addTransfers(metrics, reading.tally);
  if (reading.now !== undefined) addRecent(metrics, reading.tally, reading.now);
  addNodes(metrics, reading);
  return reading.labels ? withLabels(metrics, reading.labels) : metrics;
}

/** Labels of the user's on every series; what a series says of itself stays. */
function withLabels(
  metrics: Metrics,
  labels: Readonly<Record<string, string>>,
): MetricData[] {
  return metrics.map(({ values, ...metric }) => ({
    ...metric,
    values: values.map((series) => ({
      ...series,
      labels: { ...series.labels, ...labels, ...series.labels },
    })),
  }));
}

function addWork(metrics: Metrics, { tally, activeTasks }: Reading): void {
  counter(metrics, {
    name: "grid_steps_completed_total",
    help: "Steps that ended, by state",
    label: "status",
    values: withZeros(tally.steps, STEP_RESULTS),
  });
  counter(metrics, {
    name: "grid_hooks_completed_total",
    help: "Hooks that were called for and ended, by state",
    label: "status",
    values: withZeros(tally.hooks, STEP_RESULTS),
  });
  counter(metrics, {
    name: "grid_tasks_completed_total",
    help: "Attempts at steps that ended, by result",
    label: "status",
    values: withZeros(tally.tasks, TASK_RESULTS),
  });
  counter(metrics, {
    name: "grid_retries_total",
    help: "Attempts that were followed by another, by the code of their failure",
    label: "code",
    values: tally.retries,
  });
  counter(metrics, {
    name: "grid_batch_items_total",
    help: "Items of batches that were worked on, by result",
    label: "status",
    values: withZeros(tally.batchItems, ["succeeded", "failed"]),
  });
  single(metrics, {
    name: "grid_active_tasks",
    help: "Attempts under way",
    type: "gauge",
    value: activeTasks,
  });
  histogram(metrics, {
    name: "grid_task_duration_seconds",
    help: "Time that attempts took, from their start to their end",
    bounds: TASK_BOUNDS,
    values: tally.taskSeconds,
  });
}

function addTransfers(metrics: Metrics, { syncSeconds, transfers }: Tally): void {
  histogram(metrics, {
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
    single(metrics, { name, help, type: "counter", value: transfers.get(key) ?? 0 });
  }
}

function addRecent(metrics: Metrics, { recent }: Tally, now: number): void {
  gauge(metrics, {
    name: "grid_recent_steps",
    help: "Steps that ended within the last 30 minutes, by state",
    label: "status",
    values: withZeros(recentSteps(recent, now), STEP_RESULTS),
  });
  gauge(metrics, {
    name: "grid_recent_sync_seconds",
    help: "Mean time of bringing a folder to the node within the last 30 minutes",
    label: "node",
    values: recentSyncs(recent, now),
  });
  single(metrics, {
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

function histogram(metrics: Metrics, { name, help, bounds, values }: HistogramSpec): void {
  const sums: number[] = [];
  for (const count of values.counts) sums.push((sums.at(-1) ?? 0) + count);
  metrics.push({
    name,
    help,
    type: "histogram",
    values: [
      ...sums.map((value, at) => ({
        name: `${name}_bucket`,
        labels: { le: String(bounds[at] ?? "+Inf") },
        value,
      })),
      { name: `${name}_sum`, labels: {}, value: values.sum },
      { name: `${name}_count`, labels: {}, value: sums.at(-1) ?? 0 },
    ],
  });
}
