/** Runs that are over or under way, found by what people remember of them. */
import type { JsonValue } from "../core/json.ts";
import type { Event } from "../engine/event.ts";
import type { RunRow, Store } from "./store.ts";

export interface HistoryFilters {
  readonly limit: number;
  /** So many that fit are passed over first. */
  readonly skip?: number | undefined;
  readonly pipeline?: string | undefined;
  readonly states?: readonly string[] | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly since?: number | undefined;
  /** Inputs that have these values. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Outputs and inputs that are asked for by name. */
  readonly columns: readonly string[];
  /** Journals that are read at most to find runs by their inputs; default: all. */
  readonly mostRead?: number | undefined;
  /** What else is asked of a run. */
  readonly fits?: ((row: RunRow) => boolean) | undefined;
}

export interface HistoryRow extends RunRow {
  readonly inputs: Readonly<Record<string, JsonValue>>;
  /** Values of the columns that were asked for; those that the run has not are left out. */
  readonly outputs: Readonly<Record<string, JsonValue>>;
  /** Of the code that was synced, with `+` where it was changed. */
  readonly commit?: string;
}

/** Newest first. */
export function findRuns(store: Store, filters: HistoryFilters): HistoryRow[] {
  const { limit, pipeline, states, since, inputs, columns, fits } = filters;
  const wanted = Object.entries(inputs);
  let toSkip = filters.skip ?? 0;
  let toRead = filters.mostRead ?? Number.POSITIVE_INFINITY;
  const found: HistoryRow[] = [];
  for (const row of store.eachRun()) {
    if (found.length === limit) break;
    if (pipeline !== undefined && row.pipeline !== pipeline) continue;
    if (since !== undefined && row.startedAt < since) continue;
    if (fits !== undefined && !fits(row)) continue;
    // A runner that was killed could not write down how the run ended.
    const isStopped = row.result === "running" && !store.isAlive(row.run);
    const result = isStopped ? "stopped" : row.result;
    if (states !== undefined && !states.includes(result)) continue;
    // The journal of a run that is passed over anyway need not be read.
    if (wanted.length === 0 && toSkip-- > 0) continue;
    if (toRead-- <= 0) break;
    const facts = factsOf(store, { run: row.run, columns });
    const isAsked = wanted.every(([name, value]) =>
      Object.hasOwn(facts.inputs, name) && textOf(facts.inputs[name]) === value
    );
    if (!isAsked || (wanted.length > 0 && toSkip-- > 0)) continue;
    found.push({ ...row, ...facts, result });
  }
  return found;
}

type Facts = Pick<HistoryRow, "inputs" | "outputs" | "commit">;

function factsOf(
  store: Store,
  { run, columns }: { readonly run: string; readonly columns: readonly string[] },
): Facts {
  const types: Event["type"][] = ["run.started", "sync.finished"];
  if (columns.length > 0) types.push("step.finished");
  let inputs: Facts["inputs"] = {};
  let commit: string | undefined;
  const outputs = new Map<string, JsonValue>();
  // What cannot be read is told by the commands that show this one run.
  for (
    const { event } of store.tallies.eventsAfter(run, { seq: 0, types, onUnreadable: () => {} })
  ) {
    if (event.type === "run.started") inputs = event.inputs;
    if (event.type === "sync.finished" && event.commit !== undefined) {
      commit ??= event.commit.slice(0, 10) + (event.changed ? "+" : "");
    }
    if (event.type !== "step.finished") continue;
    for (const [name, value] of Object.entries(event.outputs)) {
      for (const column of [name, `${event.step}.${name}`]) {
        if (columns.includes(column)) outputs.set(column, value);
      }
    }
  }
  for (const column of columns) {
    const input = Object.hasOwn(inputs, column) ? inputs[column] : undefined;
    if (!outputs.has(column) && input !== undefined) outputs.set(column, input);
  }
  return { inputs, outputs: Object.fromEntries(outputs), ...(commit !== undefined && { commit }) };
}

/** As people write it: text without quotes, everything else as JSON. */
export function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

/** How a run can stand; `stopped`: its runner died. */
export const RUN_STATES = [
  "running",
  "stopped",
  "succeeded",
  "failed",
  "timed-out",
  "cancelled",
  "skipped",
] as const;
