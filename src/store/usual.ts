/** What runs of a pipeline, and steps of it, usually come to. */
import type { RunState } from "../engine/reduce.ts";
import type { RunRow, Store } from "./store.ts";

/** Runs that are looked at. */
const MOST_RUNS = 10;
/** Of single commands, which all have one name: those that may have another text. */
const MOST_COMMANDS = 100;
/** Fewer say nothing. */
const LEAST_RUNS = 3;

/** Median milliseconds of the last runs of the pipeline that succeeded. */
export function usualMs(store: Store, pipeline: string): number | undefined {
  const times = store.runs()
    .filter((row) => row.pipeline === pipeline && row.result === "succeeded")
    .slice(0, MOST_RUNS)
    .flatMap(({ durationMs }) => durationMs === undefined ? [] : [durationMs]);
  return medianOf(times);
}

export interface UsualStep {
  readonly step: string;
  /** Median milliseconds where it succeeded; undefined where too few did. */
  readonly usualMs: number | undefined;
  /** Runs in which it came to an end by itself, and those of them in which it needed a retry. */
  readonly runs: number;
  readonly retried: number;
}

/** What each step of a run came to in the runs of its pipeline before it. */
export function usualSteps(
  store: Store,
  { run, pipeline }: Pick<RunState, "run" | "pipeline">,
): readonly UsualStep[] {
  const rows = store.runs().filter((row) => row.pipeline === pipeline);
  const at = rows.findIndex((row) => row.run === run);
  const before = rows[at]?.file === ""
    ? sameCommands(store, { run, rows: rows.slice(at + 1, MOST_COMMANDS) })
    : rows.slice(at + 1, MOST_RUNS + 1);
  const steps = new Map<string, { times: number[]; runs: number; retried: number }>();
  for (const row of before) countRun(store, { row, steps });
  return [...steps].map(([step, { times, runs, retried }]) => ({
    step,
    usualMs: medianOf(times),
    runs,
    retried,
  }));
}

/** `grid run "nvidia-smi"` says nothing of how long `grid run "python train.py"` takes. */
function sameCommands(
  store: Store,
  { run, rows }: { readonly run: string; readonly rows: readonly RunRow[] },
): readonly RunRow[] {
  const own = commandOf(store, run);
  if (own === undefined) return [];
  const same: RunRow[] = [];
  for (const row of rows) {
    if (same.length === MOST_RUNS) break;
    if (row.file === "" && commandOf(store, row.run) === own) same.push(row);
  }
  return same;
}

function commandOf(store: Store, run: string): string | undefined {
  const events = store.tallies.eventsAfter(run, {
    seq: 0,
    types: ["run.started"],
    onUnreadable: () => {},
  });
  const [first] = [...events];
  if (first?.event.type !== "run.started") return undefined;
  return first.event.commands?.map(({ text }) => text).join("\n");
}

interface Counting {
  readonly row: RunRow;
  readonly steps: Map<string, { times: number[]; runs: number; retried: number }>;
}

function countRun(store: Store, { row, steps }: Counting): void {
  const retried = new Set<string>();
  const events = store.tallies.eventsAfter(row.run, {
    seq: 0,
    types: ["attempt.finished", "step.finished"],
    // What cannot be read is told by the commands that show that run.
    onUnreadable: () => {},
  });
  for (const { event } of events) {
    if (event.type === "attempt.finished" && event.retryInMs !== undefined) retried.add(event.step);
    if (event.type !== "step.finished" || event.durationMs === undefined) continue;
    if (event.state !== "succeeded" && event.state !== "failed") continue;
    const known = steps.get(event.step) ?? { times: [], runs: 0, retried: 0 };
    if (event.state === "succeeded") known.times.push(event.durationMs);
    known.runs++;
    if (retried.has(event.step)) known.retried++;
    steps.set(event.step, known);
  }
}

function medianOf(numbers: readonly number[]): number | undefined {
  if (numbers.length < LEAST_RUNS) return undefined;
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
