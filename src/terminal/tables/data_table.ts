/** `grid data`: what is kept on which nodes, and who uses it. */
import { formatDuration } from "../../core/duration.ts";
import { formatSize } from "../../core/size.ts";
import { createPaint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable } from "./table.ts";

export interface DataRow {
  readonly name: string;
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
  readonly nodes: readonly string[];
  /** Seconds since the last node got it. */
  readonly ageSeconds: number;
  /** Seconds since its last use anywhere. */
  readonly usedSeconds: number;
  /** Folders of projects. */
  readonly users: readonly string[];
  readonly isPinned: boolean;
  readonly isBusy: boolean;
  readonly isWhole: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: "NAME", shrinkTo: 8, fit: "pasted" },
  { title: "DIGEST" },
  { title: "SIZE", align: "right" },
  { title: "FILES", align: "right" },
  { title: "AGE", align: "right" },
  { title: "USED", align: "right" },
  { title: "STATE" },
  { title: "NODES", shrinkTo: 10, fit: "pasted" },
  { title: "PROJECTS", shrinkTo: 10, fit: "pasted" },
];

/** Enough of a digest to tell sets apart. */
export const DIGEST_SHOWN = 12;

export function renderData(
  rows: readonly DataRow[],
  { color, width }: { readonly color: boolean; readonly width: number },
): string {
  if (rows.length === 0) return "no data sets on any node\n";
  const paint = createPaint(color);
  const lines = rows.map((row) => ({
    cells: [
      row.name,
      row.digest.slice(0, DIGEST_SHOWN),
      formatSize(row.bytes),
      String(row.files),
      ago(row.ageSeconds),
      row.isBusy ? "now" : ago(row.usedSeconds),
      stateWords(row),
      row.nodes.join(", "),
      row.users.join(", "),
    ],
  }));
  return renderTable(COLUMNS, lines, { width, paint });
}

function stateWords({ isPinned, isWhole }: DataRow): string {
  if (!isWhole) return "damaged";
  return isPinned ? "pinned" : "";
}

function ago(seconds: number): string {
  return formatDuration(seconds * 1000);
}
