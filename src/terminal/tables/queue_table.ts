/** `grid queue`: who holds GPUs, and who waits for them. */
import { formatDuration } from "../../core/duration.ts";
import { createPaint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable } from "./table.ts";

export interface QueueRow {
  readonly node: string;
  /** `holds`, or the place in the line. */
  readonly place: number | "holds" | "reserved";
  readonly gpus: number;
  /** Indices of the GPUs that are held. */
  readonly indices: readonly number[];
  /** Part of the model's name that is asked for. */
  readonly model: string | undefined;
  readonly account: string;
  readonly run: string;
  readonly step: string;
  readonly nodes?: number;
  readonly rank?: number;
  readonly project: string;
  readonly ageMs: number;
  /** Until its end, or until its turn, as far as earlier runs tell. */
  readonly leftMs: number | undefined;
}

export interface QueueTableOptions {
  readonly color: boolean;
  readonly width: number;
  /** How many nodes could be asked, and how many could not. */
  readonly nodes: { readonly answered: number; readonly silent: number };
}

const COLUMNS: readonly Column[] = [
  { title: "NODE", shrinkTo: 10, fit: "pasted" },
  { title: "PLACE", align: "right" },
  { title: "GPUS" },
  { title: "ACCOUNT", shrinkTo: 8, fit: "pasted" },
  { title: "RUN", shrinkTo: 8, fit: "pasted" },
  { title: "STEP", shrinkTo: 8, fit: "pasted" },
  { title: "PROJECT", shrinkTo: 8, fit: "words" },
  { title: "SINCE", align: "right" },
  { title: "FREE IN", align: "right" },
];

export function renderQueue(rows: readonly QueueRow[], options: QueueTableOptions): string {
  const paint = createPaint(options.color);
  if (rows.length === 0) {
    return options.nodes.silent > 0 && options.nodes.answered === 0
      ? "no node answered\n"
      : "nobody holds a GPU, and nobody waits for one\n";
  }
  const lines = rows.map((row) => ({
    cells: [
      row.node,
      typeof row.place === "number" ? paint.yellow(`#${row.place}`) : row.place,
      typeof row.place === "number" ? wishWords(row) : row.indices.join(","),
      row.account,
      row.run,
      stepWords(row),
      row.project,
      formatDuration(row.ageMs),
      row.leftMs === undefined ? "" : `~${formatDuration(row.leftMs)}`,
    ],
  }));
  return renderTable(COLUMNS, lines, { width: options.width, paint });
}

function stepWords({ step, nodes, rank }: QueueRow): string {
  if (nodes === undefined) return step;
  return rank === undefined ? `${step} (${nodes} nodes)` : `${step} (rank ${rank} of ${nodes})`;
}

function wishWords({ gpus, model }: QueueRow): string {
  return `wants ${gpus}${model === undefined ? "" : ` ${model}`}`;
}
