/** `grid cluster status`, and what `start` and `stop` did. */
import { formatDuration } from "../../core/duration.ts";
import { formatSize } from "../../core/size.ts";
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
  readonly cpusUsed?: number | undefined;
  readonly gpusUsed?: number | undefined;
  readonly memory?: { readonly usedBytes: number; readonly totalBytes: number } | undefined;
  readonly reason: string | undefined;
  readonly hint: string | undefined;
}

export interface RayHolderRow {
  readonly kind: "job" | "actor";
  readonly name: string;
  readonly pid: number;
  readonly driver?: string;
  readonly startedAt: number;
  readonly cpus: number;
  readonly gpus: number;
  readonly nodes: readonly string[];
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
const MEMORY: Column = { title: "MEMORY", align: "right" };

export function renderRayCluster(rows: readonly RayRow[], options: RayTableOptions): string {
  const paint = createPaint(options.color);
  const hues = { alive: paint.green, dead: paint.red, failed: paint.red, stopped: paint.dim };
  const hasMemory = rows.some(({ memory }) => memory !== undefined);
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
        share(row.cpusUsed, row.cpus),
        share(row.gpusUsed, row.gpus),
        ...(hasMemory ? [memoryOf(row)] : []),
      ],
      below: remarks,
    };
  });
  const columns = hasMemory ? [...COLUMNS, MEMORY] : COLUMNS;
  return renderTable(columns, lines, { width: options.width, paint });
}

const HOLDER_COLUMNS: readonly Column[] = [
  { title: "HELD BY", shrinkTo: 12, fit: "pasted" },
  { title: "KIND" },
  { title: "CPUS", align: "right" },
  { title: "GPUS", align: "right" },
  { title: "ON", shrinkTo: 10, fit: "words" },
  { title: "PID", align: "right" },
  { title: "AGE", align: "right" },
];

/** Who has a part of Ray: batches and other drivers, and actors that nobody waits for any more. */
export function renderRayHolders(
  rows: readonly RayHolderRow[],
  options: RayTableOptions & { readonly now: number },
): string {
  if (rows.length === 0) return "nobody uses it\n";
  const paint = createPaint(options.color);
  const lines = rows.map((row) => ({
    cells: [
      row.name,
      row.kind,
      number(row.cpus),
      number(row.gpus),
      row.nodes.length === 0 ? "–" : row.nodes.join(" "),
      row.driver === undefined ? String(row.pid) : `${row.pid} on ${row.driver}`,
      formatDuration(Math.max(0, options.now - row.startedAt)),
    ],
  }));
  return renderTable(HOLDER_COLUMNS, lines, { width: options.width, paint });
}

/** `2.5 of 8` where it is known what is used. */
function share(used: number | undefined, total: number | undefined): string {
  return used === undefined || total === undefined
    ? number(total)
    : `${number(used)} of ${number(total)}`;
}

function memoryOf({ memory }: RayRow): string {
  if (memory === undefined) return "–";
  return `${formatSize(memory.usedBytes)} of ${formatSize(memory.totalBytes)}`;
}

function number(value: number | undefined): string {
  return value === undefined ? "–" : String(value);
}
