import { harmless, oneLine } from "../harmless.ts";
import type { Paint } from "../style.ts";
import { cut, displayWidth, padEnd, padStart, wrap } from "../width.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Gives way where the terminal is narrow: cut to at least this many columns. */
  readonly shrinkTo?: number;
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
  const widths = fitWidths(columns, rows, options.width);
  const line = (cells: readonly string[], dress: (text: string) => string) =>
    columns.map(({ align }, at) => {
      const width = widths[at] ?? 0;
      const text = dress(cut(cells[at] ?? "", width));
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

/** Natural widths; where they do not fit, columns that may shrink give way, the widest first. */
function fitWidths(
  columns: readonly Column[],
  rows: readonly TableRow[],
  width: number,
): number[] {
  const widths = columns.map((column, at) =>
    Math.max(displayWidth(column.title), ...rows.map((row) => displayWidth(row.cells[at] ?? "")))
  );
  const total = () => widths.reduce((sum, each) => sum + each, 0) + GAP * (columns.length - 1);
  while (total() > width) {
    const spare = columns.map((column, at) =>
      (widths[at] ?? 0) - Math.max(column.shrinkTo ?? Number.POSITIVE_INFINITY, 1)
    );
    const at = spare.indexOf(Math.max(...spare));
    if ((spare[at] ?? 0) <= 0) break;
    widths[at] = (widths[at] ?? 0) - 1;
  }
  return widths;
}

/** Names and values in two columns, as in `grid show`. */
export function renderFacts(
  facts: readonly (readonly [name: string, value: string])[],
  paint: Paint,
): string {
  const width = Math.max(0, ...facts.map(([name]) => displayWidth(name)));
  return facts.map(([name, value]) => `${paint.dim(padEnd(name, width))}  ${value}\n`).join("");
}
