/** `grid ps`: what Grid left on the nodes. */
import { formatDuration } from "../../core/duration.ts";
import { createPaint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable } from "./table.ts";

export interface JobRow {
  readonly node: string;
  readonly id: string;
  readonly state: "running" | "ended";
  readonly exitCode: number | undefined;
  readonly startedAt: number;
  readonly detached: boolean;
  readonly service?: boolean;
  readonly pids: readonly number[];
}

export interface JobsTableOptions {
  readonly color: boolean;
  readonly width: number;
  readonly now: number;
  /** How many nodes could be asked, and how many could not; default all. */
  readonly nodes?: { readonly answered: number; readonly silent: number };
}

const COLUMNS: readonly Column[] = [
  // In front, where even a long one finds room in its line.
  { title: "JOB", shrinkTo: 20, fit: "pasted" },
  { title: "NODE", shrinkTo: 10, fit: "pasted" },
  { title: "STATE" },
  { title: "EXIT", align: "right" },
  { title: "AGE", align: "right" },
  { title: "PROCESSES", shrinkTo: 9, fit: "words" },
];

export function renderJobs(rows: readonly JobRow[], options: JobsTableOptions): string {
  const paint = createPaint(options.color);
  if (rows.length === 0) return `${noJobs(options)}\n`;
  const lines = rows.map((row) => ({
    cells: [
      row.id,
      row.node,
      row.state === "running"
        ? paint.cyan(
          row.service ? "running, service" : row.detached ? "running, detached" : "running",
        )
        : paint.dim("ended"),
      row.exitCode === undefined ? "" : String(row.exitCode),
      // The clock of whoever started it may be ahead of this one.
      formatDuration(Math.max(0, options.now - row.startedAt)),
      row.pids.join(" "),
    ],
  }));
  return renderTable(COLUMNS, lines, { width: options.width, paint });
}

function noJobs({ nodes }: JobsTableOptions): string {
  if (!nodes || nodes.silent === 0) return "no jobs on any node";
  return nodes.answered === 0 ? "no node answered" : "no jobs on the nodes that answered";
}
