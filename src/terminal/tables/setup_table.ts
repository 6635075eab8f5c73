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
  readonly packages: number | undefined;
  readonly tool: string | undefined;
  readonly sharedWith: string | undefined;
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
  { title: "PACKAGES", align: "right" },
  { title: "TIME", align: "right" },
];

export function renderSetup(rows: readonly SetupRow[], options: SetupTableOptions): string {
  const paint = createPaint(options.color);
  const hues = { made: paint.green, unchanged: paint.dim, failed: paint.red };
  const lines = rows.map((row) => ({
    cells: [
      row.node,
      stateWords(row, hues[row.state](row.state)),
      row.python ?? "–",
      row.ray ?? "–",
      String(row.packages ?? "–"),
      formatDuration(row.durationMs),
    ],
    below: [
      ...(row.reason === undefined ? [] : [row.reason]),
      ...(row.hint === undefined ? [] : [`hint: ${row.hint}`]),
    ],
  }));
  return renderTable(COLUMNS, lines, { width: options.width, paint });
}

/** `made by uv`, `unchanged (shared with gpu1)`. */
function stateWords({ state, tool, sharedWith }: SetupRow, shown: string): string {
  if (state === "failed") return shown;
  if (sharedWith !== undefined) return `${shown} (shared with ${sharedWith})`;
  return tool === undefined ? shown : `${shown} by ${tool}`;
}
