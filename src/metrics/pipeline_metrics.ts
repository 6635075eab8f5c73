/** For alerts on what should have run, on what should have gone well, and on what does not end. */
import type { Reading } from "./reading.ts";
import { counter2, gauge, gauge2, type Metrics, withZeros } from "./series.ts";
import type { PipelineTally, Tally } from "./tally.ts";

/** What `grid run "…"` is called. */
const COMMAND = "command";
/** Fewer runs do not say what is usual. */
const LEAST_USUAL = 3;

interface PipelineReading extends Reading {
  /** Results that a run may have. */
  readonly results: readonly string[];
}

export function addPipelines(metrics: Metrics, reading: PipelineReading): void {
  const { tally, activeRuns, expected, now, results } = reading;
  counter2(metrics, {
    name: "grid_runs_completed_total",
    help: "Runs that ended, by pipeline and result",
    labels: ["pipeline", "status"],
    values: [...withExpected(tally, expected)].flatMap(([pipeline, counts]) =>
      [...withZeros(counts, results)].map(([status, count]) => [pipeline, status, count] as const)
    ),
  });
  addLast(metrics, tally);
  if (now === undefined) return;
  const perPipeline = (name: string, help: string, values: ReadonlyMap<string, number>) =>
    gauge(metrics, { name, help, label: "pipeline", values });
  const active = activeRuns ?? new Map<string, { runs: number; startedAt: number }>();
  perPipeline(
    "grid_active_runs",
    "Runs under way",
    mapped(active, ({ runs }) => runs),
  );
  perPipeline(
    "grid_active_run_start_timestamp_seconds",
    "When the first of the runs under way began",
    mapped(active, ({ startedAt }) => startedAt / 1000),
  );
  perPipeline(
    "grid_expected_success_seconds",
    "Within which time the pipeline shall succeed again, as grid metrics --expect says",
    expected ?? new Map(),
  );
}

function addLast(metrics: Metrics, { pipelines }: Tally): void {
  const of = (name: string, help: string, value: (last: PipelineTally) => number | undefined) =>
    gauge(metrics, { name, help, label: "pipeline", values: mapped(pipelines, value) });
  of(
    "grid_last_run_timestamp_seconds",
    "When a run of the pipeline last ended",
    (last) => last.endedAt,
  );
  of(
    "grid_last_success_timestamp_seconds",
    "When one last succeeded",
    (last) => last.succeededAt,
  );
  of(
    "grid_last_run_duration_seconds",
    "How long the last one took",
    (last) => last.seconds,
  );
  of(
    "grid_last_run_failed",
    "1 where the last one did not succeed, else 0",
    ({ status }) => status === "succeeded" || status === "skipped" ? 0 : 1,
  );
  // Single commands have one name, and nothing else in common.
  const alike = new Map([...pipelines].filter(([name]) => name !== COMMAND));
  gauge(metrics, {
    name: "grid_usual_run_duration_seconds",
    help: "How long the last ones that succeeded took, by their median",
    label: "pipeline",
    values: mapped(
      alike,
      ({ usual }) => usual && usual.length >= LEAST_USUAL ? medianOf(usual) : undefined,
    ),
  });
  gauge2(metrics, {
    name: "grid_last_run_status",
    help: "1 for the result of the last one; stopped where its runner died",
    labels: ["pipeline", "status"],
    values: [...pipelines].map(([pipeline, { status }]) => [pipeline, status, 1] as const),
  });
}

/** What is expected has a beginning, too. */
function withExpected(
  { runs }: Tally,
  expected: ReadonlyMap<string, number> | undefined,
): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const none = [...expected?.keys() ?? []].map((name) => [name, new Map()] as const);
  return new Map([...none, ...runs]);
}

function mapped<V>(
  from: ReadonlyMap<string, V>,
  value: (of: V) => number | undefined,
): Map<string, number> {
  return new Map([...from].flatMap(([name, of]) => {
    const number = value(of);
    return number === undefined ? [] : [[name, number] as const];
  }));
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
