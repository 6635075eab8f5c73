/** `grid runs`: newest first. */
import { formatDuration } from "../../core/duration.ts";
import { formatSize } from "../../core/size.ts";
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
}

export interface RunsTableOptions {
  readonly color: boolean;
  readonly width: number;
  readonly now: number;
  /** Default: the reader's own. */
  readonly timeZone?: string;
}

const COLUMNS: readonly Column[] = [
  { title: "RUN" },
  { title: "PIPELINE", shrinkTo: 8, fit: "names" },
  { title: "RESULT" },
  { title: "EXIT", align: "right" },
  // A run's id says it as well, in UTC.
  { title: "STARTED", isOptional: true },
  { title: "TIME", align: "right" },
  { title: "SIZE", align: "right", isOptional: true },
];

export function renderRuns(rows: readonly RunsRow[], options: RunsTableOptions): string {
  const paint = createPaint(options.color);
  if (rows.length === 0) return "no runs yet; start one with: grid run pipelines/train.yaml\n";
  const started = startedFormat(options.timeZone);
  const lines = rows.map((row) => ({
    cells: [
      row.run,
      row.pipeline,
      resultWord(row.result, paint),
      row.exitCode === undefined ? "" : String(row.exitCode),
      started(row.startedAt),
      formatDuration(row.durationMs ?? Math.max(0, endOf(row, options.now) - row.startedAt)),
      row.bytes === undefined ? "" : row.bytes === 0 ? "cleaned" : formatSize(row.bytes),
    ],
    ...(row.resumedAs === undefined ? {} : { below: [`resumed as ${row.resumedAs}`] }),
  }));
  return renderTable(COLUMNS, lines, { width: options.width, paint });
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
