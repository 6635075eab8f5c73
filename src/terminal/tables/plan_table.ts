/** `grid plan`: the expanded graph in waves, before anything is done. */
import { createPaint } from "../style.ts";
import { counted } from "../step_words.ts";
import { type Column, renderTable } from "./table.ts";

export interface PlanRow {
  readonly id: string;
  readonly kind: string;
  /** Steps of one wave may run at the same time; counts from 1. */
  readonly wave: number;
  /** Where it will run, in words: `gpu1`, `best with 1 GPU`, `chosen by gpu`. */
  readonly node: string;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  /** Why it would be reused or left out. */
  readonly remark?: string | undefined;
}

export interface PlanTableOptions {
  readonly color: boolean;
  readonly width: number;
}

const COLUMNS: readonly Column[] = [
  { title: "WAVE", align: "right" },
  { title: "STEP", shrinkTo: 12, cutAt: "middle" },
  { title: "KIND" },
  { title: "NODE", shrinkTo: 10 },
  { title: "AFTER", shrinkTo: 10 },
];

export function renderPlan(rows: readonly PlanRow[], options: PlanTableOptions): string {
  const paint = createPaint(options.color);
  const sorted = rows.toSorted((a, b) => a.wave - b.wave);
  const lines = sorted.map((row, at) => ({
    cells: [
      sorted[at - 1]?.wave === row.wave ? "" : String(row.wave),
      row.id,
      row.kind,
      row.node,
      [...row.needs, ...row.after.map((id) => `(${id})`)].join(", "),
    ],
    below: row.remark === undefined ? [] : [row.remark],
  }));
  const waves = new Set(rows.map(({ wave }) => wave)).size;
  const totals = paint.dim(`${counted(rows.length, "step")} in ${counted(waves, "wave")}`);
  return `${renderTable(COLUMNS, lines, { width: options.width, paint })}\n${totals}\n`;
}
