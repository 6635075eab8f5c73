/** `grid free`: a line per GPU model, with the words of a selector that asks for it. */
import { createPaint } from "../style.ts";
import type { Column } from "./columns.ts";
import { gigabytes } from "./health_cells.ts";
import { renderTable } from "./table.ts";

export interface FreeModel {
  readonly model: string;
  readonly memoryBytes: number | undefined;
  readonly free: number;
  readonly total: number;
  /** The most that are free on one node. */
  readonly mostOnOne: number;
  readonly nodes: readonly { readonly node: string; readonly free: number }[];
  /** To be pasted behind `node:` or `select-node:`. */
  readonly selector: string;
}

const COLUMNS: readonly Column[] = [
  { title: "GPU" },
  { title: "FREE", align: "right" },
  { title: "OF", align: "right" },
  { title: "SELECTOR", fit: "pasted" },
  { title: "NODES", shrinkTo: 12, fit: "words" },
];

export interface FreeTableOptions {
  readonly color: boolean;
  readonly width: number;
}

export function renderFree(models: readonly FreeModel[], options: FreeTableOptions): string {
  const paint = createPaint(options.color);
  if (models.length === 0) return "no node that answers has a GPU\n";
  const rows = models.map(({ model, memoryBytes, free, total, selector, nodes }) => ({
    cells: [
      memoryBytes === undefined ? model : `${model} ${gigabytes(memoryBytes)}`,
      (free > 0 ? paint.green : paint.dim)(String(free)),
      String(total),
      selector,
      nodes.filter((one) => one.free > 0).map(({ node, free }) => `${node}: ${free}`).join(", ") ||
      "none free",
    ],
  }));
  return renderTable(COLUMNS, rows, { width: options.width, paint });
}
