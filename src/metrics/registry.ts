/** The tally as metrics. Names and labels here are promised to dashboards and alerts. */
import { Counter, Gauge, Histogram, Registry } from "./prom_client.ts";
import type { Tally } from "./tally.ts";

/** As the transports count. */
export interface TransportCounts {
  readonly handshakes: number;
  readonly reconnects: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface Gauges {
  readonly transports: ReadonlyMap<string, TransportCounts>;
  /** Attempts under way. */
  readonly activeTasks: number;
}

/** From a command that only prints to a training of a day, in seconds. */
const TASK_BUCKETS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200, 86_400];
const SYNC_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Shown as 0 before anything happened, so that a rate has a beginning. */
const TASK_RESULTS = ["succeeded", "failed", "timed-out", "cancelled"];
const STEP_RESULTS = [...TASK_RESULTS, "allowed-failure", "skipped", "reused"];

export function tallyRegistry(tally: Tally, gauges: Gauges): Registry {
  // A registry of its own: the library's global one would mix several runs of one process.
  const registry = new Registry();
  addWork(registry, tally, gauges);
  addPipelines(registry, tally);
  addTransfers(registry, tally);
  addNodes(registry, tally, gauges);
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

/** For alerts on what should have run, and on what should have gone well. */
function addPipelines(registry: Registry, { pipelines }: Tally): void {
  const of = (name: string, help: string) => gauge(registry, { name, help, label: "pipeline" });
  const ended = of("grid_last_run_timestamp_seconds", "When a run of the pipeline last ended");
  const fine = of("grid_last_success_timestamp_seconds", "When one last succeeded");
  const took = of("grid_last_run_duration_seconds", "How long the last one took");
  const failed = of("grid_last_run_failed", "1 where the last one did not succeed, else 0");
  for (const [pipeline, last] of pipelines) {
    ended.set({ pipeline }, last.endedAt);
    took.set({ pipeline }, last.seconds);
    failed.set({ pipeline }, last.status === "succeeded" || last.status === "skipped" ? 0 : 1);
    if (last.succeededAt !== undefined) fine.set({ pipeline }, last.succeededAt);
  }
}

function addWork(registry: Registry, tally: Tally, { activeTasks }: Gauges): void {
  counter(registry, {
    name: "grid_runs_completed_total",
    help: "Runs that ended, by result",
    label: "status",
    values: withZeros(tally.runs, TASK_RESULTS),
  });
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
  gauge(registry, { name: "grid_active_tasks", help: "Attempts under way" }).set(activeTasks);
  histogram(registry, {
    name: "grid_task_duration_seconds",
    help: "Time that attempts took, from their start to their end",
    buckets: TASK_BUCKETS,
    values: tally.taskSeconds,
  });
}

function addTransfers(registry: Registry, tally: Tally): void {
  histogram(registry, {
    name: "grid_sync_duration_seconds",
    help: "Time that bringing a folder to one node took",
    buckets: SYNC_BUCKETS,
    values: tally.syncSeconds,
  });
  const totals = {
    grid_synced_files_total: ["Files sent to nodes", tally.syncedFiles],
    grid_synced_bytes_total: ["Bytes of files sent to nodes", tally.syncedBytes],
    grid_fetched_files_total: ["Files brought home from nodes", tally.fetchedFiles],
    grid_fetched_bytes_total: ["Bytes of files brought home from nodes", tally.fetchedBytes],
  } as const;
  for (const [name, [help, value]] of Object.entries(totals)) {
    new Counter({ name, help, registers: [registry] }).inc(value);
  }
}

function addNodes(registry: Registry, tally: Tally, { transports }: Gauges): void {
  const scores = gauge(registry, {
    name: "grid_node_health_score",
    help: "Weighted load, lower is better",
    label: "node",
  });
  for (const [node, score] of tally.nodeScores) scores.set({ node }, score);
  const by = (count: (stats: TransportCounts) => number) =>
    new Map([...transports].map(([node, stats]) => [node, count(stats)]));
  const counters = {
    grid_ssh_connections_total: ["Connections made, with their handshake", by((s) => s.handshakes)],
    grid_ssh_reconnects_total: ["Connections made again after a loss", by((s) => s.reconnects)],
    grid_ssh_sent_bytes_total: ["Bytes sent to the node", by((s) => s.bytesSent)],
    grid_ssh_received_bytes_total: ["Bytes received from the node", by((s) => s.bytesReceived)],
  } as const;
  for (const [name, [help, values]] of Object.entries(counters)) {
    counter(registry, { name, help, label: "node", values });
  }
}

interface CounterSpec {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  readonly values: ReadonlyMap<string, number>;
}

function counter(registry: Registry, spec: CounterSpec): void {
  const { name, help, label, values } = spec;
  const metric = new Counter({ name, help, labelNames: [label], registers: [registry] });
  for (const [value, count] of values) metric.inc({ [label]: value }, count);
}

interface GaugeSpec {
  readonly name: string;
  readonly help: string;
  readonly label?: string;
}

function gauge(registry: Registry, { name, help, label }: GaugeSpec): Gauge {
  const labelNames = label === undefined ? [] : [label];
  return new Gauge({ name, help, labelNames, registers: [registry] });
}

interface HistogramSpec {
  readonly name: string;
  readonly help: string;
  readonly buckets: number[];
  readonly values: readonly number[];
}

function histogram(registry: Registry, { name, help, buckets, values }: HistogramSpec): void {
  const metric = new Histogram({ name, help, buckets, registers: [registry] });
  for (const value of values) metric.observe(value);
}

function withZeros(
  counts: ReadonlyMap<string, number>,
  names: readonly string[],
): ReadonlyMap<string, number> {
  return new Map([...names.map((name) => [name, 0] as const), ...counts]);
}
