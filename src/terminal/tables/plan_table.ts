/** `grid plan`: the expanded graph in waves, before anything is done. */
import { createPaint } from "../style.ts";
import { counted } from "../step_words.ts";
import type { Column } from "./columns.ts";
import { renderTable, type TableRow } from "./table.ts";

export interface PlanRow extends WorkRow {
  /** Steps of one wave may run at the same time; counts from 1. */
  readonly wave: number;
}

export interface HookRow extends WorkRow {
  /** How the run has to end. */
  readonly moment: "success" | "failure" | "exit";
}

interface WorkRow {
  readonly id: string;
  readonly kind: string;
  /** Where it will run, in words: `gpu1`, `best with 1 GPU`, `chosen by gpu`. */
  readonly node: string;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  /** The matrix or template that the step is a part of. */
  readonly group?: string;
  /** Its condition, as written. */
  readonly if?: string | undefined;
  /** Why it would be skipped however the run goes. */
  readonly skipped?: string | undefined;
  /** Why it would be reused or left out. */
  readonly remark?: string | undefined;
}

export interface PlanTableOptions {
  readonly color: boolean;
  readonly width: number;
}

const COLUMNS: readonly Column[] = [
  { title: "STEP", shrinkTo: 12, fit: "names" },
  { title: "KIND" },
  { title: "NODE", shrinkTo: 10, fit: "words" },
  { title: "AFTER", shrinkTo: 10, fit: "words" },
];

export function renderPlan(
  { steps, hooks }: { readonly steps: readonly PlanRow[]; readonly hooks: readonly HookRow[] },
  options: PlanTableOptions,
): string {
  const paint = createPaint(options.color);
  const table = (first: Column, rows: readonly TableRow[]) =>
    renderTable([first, ...COLUMNS], rows, { width: options.width, paint, remarksBelow: "STEP" });
  const sorted = steps.toSorted((a, b) => a.wave - b.wave);
  const lines = sorted.map((row, at) =>
    lineOf(row, {
      first: sorted[at - 1]?.wave === row.wave ? "" : String(row.wave),
      waits: row.kind === "group" ? membersOf(row, steps) : waitsOf(row),
    })
  );
  const ends = hooks.map((row, at) =>
    lineOf(row, {
      first: hooks[at - 1]?.moment === row.moment ? "" : row.moment,
      waits: waitsOf(row),
    })
  );
  // A matrix or a template is as many steps as it has members.
  const own = steps.filter(({ kind }) => kind !== "group");
  const waves = counted(new Set(steps.map(({ wave }) => wave)).size, "wave");
  const more = hooks.length > 0 ? `, ${counted(hooks.length, "hook")}` : "";
  return [
    table({ title: "WAVE", align: "right" }, lines),
    ...(ends.length > 0 ? [table({ title: "HOOK" }, ends)] : []),
    `${paint.dim(`${counted(own.length, "step")} in ${waves}${more}`)}\n`,
  ].join("\n");
}

function waitsOf({ needs, after }: WorkRow): string {
  return [...needs, ...after.map((id) => `(${id})`)].join(", ");
}

/** A group ends after its members; what it needs itself stands at those that begin it. */
function membersOf({ id }: WorkRow, rows: readonly WorkRow[]): string {
  const members = rows.filter(({ group }) => group === id);
  const areCells = members.every((member) => member.id.startsWith(`${id}[`));
  return `its ${counted(members.length, areCells ? "cell" : "step")}`;
}

interface Around {
  /** What stands in the first column. */
  readonly first: string;
  readonly waits: string;
}

function lineOf(row: WorkRow, { first, waits }: Around): TableRow {
  const below = [
    ...(row.if === undefined || row.skipped !== undefined ? [] : [`if ${row.if}`]),
    ...(row.skipped === undefined ? [] : [`would be skipped: ${row.skipped}`]),
    ...(row.remark === undefined ? [] : [row.remark]),
  ];
  return { cells: [first, row.id, row.kind, row.node, waits], below };
}
