import { harmless, oneLine } from "../harmless.ts";
import type { Paint } from "../style.ts";
import { cut, cutInside, displayWidth, padEnd, padStart, wrap } from "../width.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Gives way where the terminal is narrow: cut to at least this many columns. */
  readonly shrinkTo?: number;
  /** Where a cell is cut; names of steps in their middle. Default: the end. */
  readonly cutAt?: "middle" | "end";
  /** Left out, the last one first, where shrinking is not enough. */
  readonly isOptional?: true;
}

export interface TableOptions {
  readonly width: number;
  readonly paint: Paint;
}

export interface TableRow {
  readonly cells: readonly string[];
  /** Remarks below the row, indented and broken to fit. */
  readonly below?: readonly string[];
}

/** Columns are two blanks apart; there are no lines, so that rows can be copied and grepped. */
const GAP = 2;

/** A table without lines that fits its width; ends in a newline. */
export function renderTable(
  columns: readonly Column[],
  given: readonly TableRow[],
  options: TableOptions,
): string {
  const rows = given.map((row) => ({
    ...row,
    cells: row.cells.map((cell) => safeCell(cell, options)),
  }));
  const fitted = fitColumns(sizedColumns(columns, rows), options.width);
  const line = (cells: readonly string[], dress: (text: string) => string) =>
    fitted.map(({ at, width, align, cutAt }) => {
      const text = dress((cutAt === "middle" ? cutInside : cut)(cells[at] ?? "", width));
      return align === "right" ? padStart(text, width) : padEnd(text, width);
    }).join(" ".repeat(GAP)).trimEnd();
  const head = line(columns.map(({ title }) => title), (text) => options.paint.bold(text));
  const body = rows.flatMap((row) => [line(row.cells, (text) => text), ...remark(row, options)]);
  return [head, ...body].map((text) => `${text}\n`).join("");
}

/** Names and reasons come from nodes: one line, and no control character but our own colours. */
function safeCell(cell: string, { paint }: TableOptions): string {
  return cell.split("\n").map((line) => harmless(line, paint)).join(" ");
}

function remark(row: TableRow, { width, paint }: TableOptions): string[] {
  return (row.below ?? []).flatMap((text) => wrap(oneLine(text), width - 2 * GAP))
    .map((line) => `${" ".repeat(GAP)}${paint.dim(line)}`);
}

interface SizedColumn extends Column {
  /** Which cell of a row stands here. */
  readonly at: number;
  width: number;
}

/** With the widths that the cells ask for. */
function sizedColumns(columns: readonly Column[], rows: readonly TableRow[]): SizedColumn[] {
  return columns.map((column, at) => {
    const cells = rows.map((row) => displayWidth(row.cells[at] ?? ""));
    return { ...column, at, width: Math.max(displayWidth(column.title), ...cells) };
  });
}

/** Columns that may shrink give way, the widest first; where that is not enough, one is left out. */
function fitColumns(wanted: readonly SizedColumn[], width: number): readonly SizedColumn[] {
  const columns = wanted.map((column) => ({ ...column }));
  const spare = (column: SizedColumn) => column.width - (column.shrinkTo ?? column.width);
  let excess = columns.reduce((sum, column) => sum + column.width + GAP, -GAP) - width;
  for (; excess > 0; excess--) {
    const most = Math.max(...columns.map(spare));
    const widest = columns.find((column) => spare(column) === most);
    if (widest === undefined || most <= 0) break;
    widest.width -= 1;
  }
  const last = wanted.findLastIndex(({ isOptional }) => isOptional);
  return excess <= 0 || last < 0 ? columns : fitColumns(wanted.toSpliced(last, 1), width);
}

/** Names and values in two columns, as in `grid show`. */
export function renderFacts(
  facts: readonly (readonly [name: string, value: string])[],
  paint: Paint,
): string {
  const width = Math.max(0, ...facts.map(([name]) => displayWidth(name)));
  return facts.map(([name, value]) => `${paint.dim(padEnd(name, width))}  ${value}\n`).join("");
}
