/** `grid runs`: newest first. */
import { formatDuration } from "../../core/duration.ts";
import { formatSize } from "../../core/size.ts";
import { oneLine } from "../harmless.ts";
import { createPaint, type Paint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable } from "./table.ts";

export interface RunsRow {
  readonly run: string;
  readonly pipeline: string;
  readonly file: string;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  readonly durationMs?: number;
  /** `stopped` for a run whose runner was killed. */
  readonly result: string;
  readonly exitCode: number | undefined;
  readonly lastEventAt?: number;
  readonly resumedAs?: string;
  /** Of its reports and logs; 0 once they are cleaned away. */
  readonly bytes?: number;
  /** In one line. */
  readonly inputs?: string;
  readonly commit?: string;
  readonly note?: string;
  /** Values of the columns that were asked for. */
  readonly columns?: readonly string[];
}

export interface RunsTableOptions {
  readonly color: boolean;
  readonly width: number;
  readonly now: number;
  /** Default: the reader's own. */
  readonly timeZone?: string;
  /** Titles of further columns. */
  readonly columns?: readonly string[];
  /** Not all runs were wanted. */
  readonly isFiltered?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: "RUN" },
  { title: "PIPELINE", shrinkTo: 8, fit: "names" },
  { title: "RESULT" },
  { title: "EXIT", align: "right" },
  // A run's id says it as well, in UTC.
  { title: "STARTED", isOptional: true },
  { title: "TIME", align: "right" },
];

const LAST_COLUMNS: readonly Column[] = [
  { title: "SIZE", align: "right", isOptional: true },
  { title: "COMMIT", isOptional: true },
  { title: "INPUTS", shrinkTo: 8, isOptional: true },
];

export function renderRuns(rows: readonly RunsRow[], options: RunsTableOptions): string {
  const paint = createPaint(options.color);
  if (rows.length === 0) {
    return options.isFiltered
      ? "no such runs; all of them: grid runs -n 1000\n"
      : "no runs yet; start one with: grid run pipelines/train.yaml\n";
  }
  const { columns: titles = [] } = options;
  const started = startedFormat(options.timeZone);
  // Columns that hold nothing are not there.
  const last = LAST_COLUMNS.filter((_, at) => rows.some((row) => lastCells(row)[at] !== ""));
  const lines = rows.map((row) => ({
    cells: [
      row.run,
      oneLine(row.pipeline),
      resultWord(row.result, paint),
      row.exitCode === undefined ? "" : String(row.exitCode),
      started(row.startedAt),
      formatDuration(row.durationMs ?? Math.max(0, endOf(row, options.now) - row.startedAt)),
      ...titles.map((_, at) => oneLine(row.columns?.[at] ?? "")),
      ...last.map((column) => lastCells(row)[LAST_COLUMNS.indexOf(column)] ?? ""),
    ],
    ...belowOf(row),
  }));
  const named = titles.map((title): Column => ({ title: oneLine(title), align: "right" }));
  return renderTable([...COLUMNS, ...named, ...last], lines, { width: options.width, paint });
}

function lastCells({ bytes, result, commit = "", inputs = "" }: RunsRow): string[] {
  // What runs has not written anything yet, or it has not come home.
  const none = result === "running" ? "" : "cleaned";
  const size = bytes === undefined ? "" : bytes === 0 ? none : formatSize(bytes);
  return [size, oneLine(commit), oneLine(inputs)];
}

function belowOf({ resumedAs, note }: RunsRow): { below?: string[] } {
  const below = [
    ...(note === undefined ? [] : [oneLine(note)]),
    ...(resumedAs === undefined ? [] : [`resumed as ${resumedAs}`]),
  ];
  return below.length === 0 ? {} : { below };
}

/** Of a run whose runner was killed nobody knows more than its last event. */
function endOf({ finishedAt, result, lastEventAt }: RunsRow, now: number): number {
  return finishedAt ?? (result === "stopped" ? lastEventAt : undefined) ?? now;
}

function resultWord(result: string, paint: Paint): string {
  switch (result) {
    case "succeeded":
      return paint.green(result);
    case "failed":
    case "timed-out":
      return paint.red(result);
    case "running":
      return paint.cyan(result);
    default:
      return paint.yellow(result);
  }
}

/** `2026-01-31 12:00:05`: sorts as it reads. */
function startedFormat(timeZone: string | undefined): (ms: number) => string {
  const format = new Intl.DateTimeFormat("sv-SE", {
    dateStyle: "short",
    timeStyle: "medium",
    timeZone,
  });
  return (ms) => format.format(ms);
}
