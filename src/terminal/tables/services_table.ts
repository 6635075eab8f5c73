/** `grid services`: what serves, where, and until when. */
import { formatDuration } from "../../core/duration.ts";
import { createPaint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable } from "./table.ts";

export interface ServiceRow {
  readonly node: string;
  readonly run: string;
  readonly step: string;
  readonly state: "gone" | "starting" | "running" | "ended";
  readonly ready: boolean;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly startedAt: number;
  readonly life: "run" | "until-stopped" | "time";
  readonly untilMs?: number | undefined;
  readonly gpus: readonly string[];
}

export interface ServicesTableOptions {
  readonly color: boolean;
  readonly width: number;
  readonly now: number;
  /** How many nodes could be asked, and how many could not. */
  readonly nodes: { readonly answered: number; readonly silent: number };
}

const COLUMNS: readonly Column[] = [
  { title: "STEP", shrinkTo: 8, fit: "pasted" },
  { title: "RUN", shrinkTo: 8, fit: "pasted" },
  { title: "NODE", shrinkTo: 8, fit: "pasted" },
  { title: "STATE" },
  { title: "ADDRESS", shrinkTo: 9, fit: "pasted" },
  { title: "GPUS", align: "right" },
  { title: "SINCE", align: "right" },
  { title: "UNTIL" },
];

export function renderServices(rows: readonly ServiceRow[], options: ServicesTableOptions): string {
  const { nodes, now, color, width } = options;
  const paint = createPaint(color);
  if (rows.length === 0) {
    if (nodes.silent === 0) return "no services on any node\n";
    return nodes.answered === 0 ? "no node answered\n" : "no services on the nodes that answered\n";
  }
  const lines = rows.map((row) => ({
    cells: [
      row.step,
      row.run,
      row.node,
      stateWords(row) === "ready" ? paint.green("ready") : paint.dim(stateWords(row)),
      row.address ?? (row.port === undefined ? "" : `port ${row.port}`),
      row.gpus.length === 0 ? "" : String(row.gpus.length),
      formatDuration(Math.max(0, now - row.startedAt)),
      untilWords(row, now),
    ],
  }));
  return renderTable(COLUMNS, lines, { width, paint });
}

function stateWords({ state, ready }: ServiceRow): string {
  if (state !== "running" && state !== "starting") return "ended";
  return ready ? "ready" : "starting";
}

function untilWords({ life, untilMs, state }: ServiceRow, now: number): string {
  if (state === "ended" || state === "gone") return "";
  switch (life) {
    case "run":
      return "its run ends";
    case "until-stopped":
      return "it is stopped";
    case "time":
      return untilMs === undefined
        ? "its time is over"
        : `in ${formatDuration(Math.max(0, untilMs - now))}`;
  }
}
