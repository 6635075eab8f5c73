/** What the words of `grid runs` mean, and what only this command tells of a run. */
import { parseDuration } from "../core/duration.ts";
import { GridError } from "../core/errors.ts";
import {
  findRuns as findInStore,
  type HistoryFilters,
  type HistoryRow as StoredRow,
  RUN_STATES,
} from "../store/history.ts";
import { WordError } from "./command_line/option.ts";
import type { PastRuns } from "./past_runs.ts";
import { folderBytes } from "./run_folders.ts";

export interface HistoryRow extends StoredRow {
  /** Of its reports and logs; 0 once they are cleaned away. */
  readonly bytes: number;
}

/** Newest first. */
export function findRuns(runs: PastRuns, filters: HistoryFilters): HistoryRow[] {
  return findInStore(runs.store, filters)
    .map((row) => ({ ...row, bytes: folderBytes(runs.folder(row.run)) }));
}

/** `2d`, that long ago; or a date such as `2026-01-31` or `2026-01-31T12:00`, by the clock here. */
export function sinceTime(
  word: string,
  { now, what }: { readonly now: number; readonly what: "runs" | "lines" },
): number {
  const ago = parseDuration(word);
  if (ago !== undefined) return now - ago;
  const date = /^\d{4}-\d\d-\d\d$/.test(word) ? Date.parse(`${word}T00:00`) : Date.parse(word);
  if (/^\d{4}-/.test(word) && !Number.isNaN(date)) return date;
  throw new GridError({
    code: "usage",
    message: `Cannot look for ${what} since "${word}": it is neither a time ago nor a date`,
    hint: `write, for example, --since ${what === "runs" ? "2d" : "10m"}, or --since 2026-01-31`,
  });
}

export function stateList(word: string): string[] {
  const states = word.split(",").map((state) => state.trim());
  const known: readonly string[] = RUN_STATES;
  if (states.every((state) => known.includes(state))) return states;
  throw new WordError(`must be one or more of ${RUN_STATES.join(", ")}`);
}
