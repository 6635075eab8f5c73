/** `grid schedule`: when runs begin by themselves. */
import { oneLine } from "../harmless.ts";
import { createPaint, type Paint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable } from "./table.ts";

export interface ScheduleTableRow {
  readonly pipeline: string;
  readonly file: string;
  readonly name: string;
  readonly cron: string;
  readonly zone: string;
  readonly isEnabled: boolean;
  /** By whom. */
  readonly paused: string | undefined;
  /** Nobody starts its runs. */
  readonly isLeft: boolean;
  /** By the clocks of its zone. */
  readonly next: string | undefined;
  /** Those after it. */
  readonly later: readonly string[];
  readonly missed: number;
  /** The last of its times, newest first. */
  readonly shown: readonly {
    readonly time: string;
    readonly result: string;
    readonly run: string | undefined;
    readonly said: string | undefined;
  }[];
}

export interface ScheduleTableOptions {
  readonly color: boolean;
  readonly width: number;
}

const COLUMNS: readonly Column[] = [
  { title: "PIPELINE", shrinkTo: 8, fit: "names" },
  { title: "CRON" },
  { title: "TIME ZONE", shrinkTo: 8 },
  { title: "NEXT" },
  { title: "LAST" },
  { title: "RUN" },
  { title: "MISSED", align: "right" },
];

export function renderSchedules(
  rows: readonly ScheduleTableRow[],
  { color, width }: ScheduleTableOptions,
): string {
  if (rows.length === 0) {
    return 'no pipeline begins by itself; give one schedule: { cron: "17 2 * * *" }\n';
  }
  const paint = createPaint(color);
  const lines = rows.map((row) => {
    const { pipeline, name, cron, zone, missed, shown: [last, ...older] } = row;
    const below = [
      ...older.map(({ time, result, run }) => `${time} ${result}${run ? ` ${run}` : ""}`),
      ...(last?.said === undefined ? [] : [paint.red(oneLine(last.said))]),
      ...row.later.map((time) => `then ${time}`),
      ...stateWords(row, paint),
    ];
    return {
      cells: [
        oneLine(name === "schedule" ? pipeline : `${pipeline}: ${name}`),
        oneLine(cron),
        oneLine(zone),
        nextWords(row),
        last === undefined ? "" : `${last.time} ${resultWord(last.result, paint)}`,
        last?.run ?? "",
        missed === 0 ? "" : String(missed),
      ],
      ...(below.length > 0 && { below }),
    };
  });
  // Columns that hold nothing are not there.
  const used = COLUMNS.map((_, at) => lines.some(({ cells }) => cells[at] !== ""));
  const kept = <T>(cells: readonly T[]) => cells.filter((_, at) => used[at]);
  return renderTable(
    kept(COLUMNS),
    lines.map((line) => ({ ...line, cells: kept(line.cells) })),
    { width, paint },
  );
}

function nextWords({ isEnabled, paused, next }: ScheduleTableRow): string {
  if (!isEnabled || paused !== undefined) return "";
  return next ?? "never";
}

function stateWords({ isEnabled, paused, isLeft }: ScheduleTableRow, paint: Paint): string[] {
  if (!isEnabled) return [paint.yellow("switched off in its file")];
  if (paused !== undefined) return [paint.yellow(`paused by ${oneLine(paused)}`)];
  return isLeft ? [paint.yellow("nobody starts its runs: grid serve --schedule does")] : [];
}

function resultWord(result: string, paint: Paint): string {
  switch (result) {
    case "succeeded":
      return paint.green(result);
    case "failed":
    case "timed-out":
    case "missed":
      return paint.red(result);
    default:
      return paint.yellow(result);
  }
}
