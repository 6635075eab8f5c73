/** Runs that are over or under way, found by what people remember of them. */
import { parseDuration } from "../core/duration.ts";
import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { Event } from "../engine/event.ts";
import type { RunRow } from "../store/store.ts";
import { WordError } from "./command_line/option.ts";
import type { PastRuns } from "./past_runs.ts";
import { folderBytes } from "./run_folders.ts";

export interface HistoryFilters {
  readonly limit: number;
  readonly pipeline?: string | undefined;
  readonly states?: readonly string[] | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly since?: number | undefined;
  /** Inputs that have these values. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Outputs and inputs that are asked for by name. */
  readonly columns: readonly string[];
}

export interface HistoryRow extends RunRow {
  readonly inputs: Readonly<Record<string, JsonValue>>;
  /** Values of the columns that were asked for; those that the run has not are left out. */
  readonly outputs: Readonly<Record<string, JsonValue>>;
  /** Of the code that was synced, with `+` where it was changed. */
  readonly commit?: string;
  /** Of its reports and logs; 0 once they are cleaned away. */
  readonly bytes: number;
}

/** Newest first. */
export function findRuns(runs: PastRuns, filters: HistoryFilters): HistoryRow[] {
  const { limit, pipeline, states, since, inputs, columns } = filters;
  const found: HistoryRow[] = [];
  for (const row of runs.store.runs()) {
    if (found.length === limit) break;
    if (pipeline !== undefined && row.pipeline !== pipeline) continue;
    if (since !== undefined && row.startedAt < since) continue;
    // A runner that was killed could not write down how the run ended.
    const isStopped = row.result === "running" && !runs.store.isAlive(row.run);
    const result = isStopped ? "stopped" : row.result;
    if (states !== undefined && !states.includes(result)) continue;
    const facts = factsOf(runs, { run: row.run, columns });
    const fits = Object.entries(inputs).every(([name, value]) =>
      Object.hasOwn(facts.inputs, name) && textOf(facts.inputs[name]) === value
    );
    if (!fits) continue;
    found.push({ ...row, ...facts, result, bytes: folderBytes(runs.folder(row.run)) });
  }
  return found;
}

type Facts = Pick<HistoryRow, "inputs" | "outputs" | "commit">;

function factsOf(
  { store }: PastRuns,
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

/** `2d`, that long ago; or a date such as `2026-01-31` or `2026-01-31T12:00`, by the clock here. */
export function sinceTime(word: string, now: number): number {
  const ago = parseDuration(word);
  if (ago !== undefined) return now - ago;
  const date = /^\d{4}-\d\d-\d\d$/.test(word) ? Date.parse(`${word}T00:00`) : Date.parse(word);
  if (/^\d{4}-/.test(word) && !Number.isNaN(date)) return date;
  throw new GridError({
    code: "usage",
    message: `Cannot look for runs since "${word}": it is neither a time ago nor a date`,
    hint: "write, for example, --since 2d, or --since 2026-01-31",
  });
}

const STATES = ["running", "stopped", "succeeded", "failed", "timed-out", "cancelled", "skipped"];

export function stateList(word: string): string[] {
  const states = word.split(",").map((state) => state.trim());
  const unknown = states.find((state) => !STATES.includes(state));
  if (unknown === undefined) return states;
  throw new WordError(`must be one or more of ${STATES.join(", ")}`);
}
