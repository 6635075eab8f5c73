/** What `grid setup` did. */
import { formatDuration } from "../../core/duration.ts";
import { createPaint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable } from "./table.ts";

export interface SetupRow {
  readonly node: string;
  readonly state: "made" | "unchanged" | "failed";
  readonly python: string | undefined;
  readonly ray: string | undefined;
  readonly durationMs: number;
  readonly reason: string | undefined;
  readonly hint: string | undefined;
}

export interface SetupTableOptions {
  readonly color: boolean;
  readonly width: number;
}

const COLUMNS: readonly Column[] = [
  { title: "NODE", shrinkTo: 10, fit: "pasted" },
  { title: "STATE" },
  { title: "PYTHON" },
  { title: "RAY" },
  { title: "TIME", align: "right" },
];

export function renderSetup(rows: readonly SetupRow[], options: SetupTableOptions): string {
  const paint = createPaint(options.color);
  const hues = { made: paint.green, unchanged: paint.dim, failed: paint.red };
  const lines = rows.map((row) => ({
    cells: [
      row.node,
      hues[row.state](row.state),
      row.python ?? "–",
      row.ray ?? "–",
      formatDuration(row.durationMs),
    ],
    below: [
      ...(row.reason === undefined ? [] : [row.reason]),
      ...(row.hint === undefined ? [] : [`hint: ${row.hint}`]),
    ],
  }));
  return renderTable(COLUMNS, lines, { width: options.width, paint });
}
