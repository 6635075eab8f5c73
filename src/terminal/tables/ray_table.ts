/** `grid cluster status`, and what `start` and `stop` did. */
import { createPaint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable } from "./table.ts";

export interface RayRow {
  readonly node: string;
  readonly role: "head" | "worker";
  readonly state: "alive" | "dead" | "stopped" | "failed";
  readonly address: string | undefined;
  readonly cpus: number | undefined;
  readonly gpus: number | undefined;
  readonly reason: string | undefined;
  readonly hint: string | undefined;
}

export interface RayTableOptions {
  readonly color: boolean;
  readonly width: number;
}

const COLUMNS: readonly Column[] = [
  { title: "NODE", shrinkTo: 10, fit: "pasted" },
  { title: "ROLE" },
  { title: "STATE" },
  { title: "ADDRESS", shrinkTo: 12, fit: "pasted" },
  { title: "CPUS", align: "right" },
  { title: "GPUS", align: "right" },
];

export function renderRayCluster(rows: readonly RayRow[], options: RayTableOptions): string {
  const paint = createPaint(options.color);
  const hues = { alive: paint.green, dead: paint.red, failed: paint.red, stopped: paint.dim };
  const lines = rows.map((row) => {
    const remarks = [
      ...(row.reason === undefined ? [] : [row.reason]),
      ...(row.hint === undefined ? [] : [`hint: ${row.hint}`]),
    ];
    return {
      cells: [
        row.node,
        row.role,
        hues[row.state](row.state),
        row.address ?? "–",
        number(row.cpus),
        number(row.gpus),
      ],
      below: remarks,
    };
  });
  return renderTable(COLUMNS, lines, { width: options.width, paint });
}

function number(value: number | undefined): string {
  return value === undefined ? "–" : String(value);
}
