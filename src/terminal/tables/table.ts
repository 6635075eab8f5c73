import { harmless, oneLine } from "../harmless.ts";
import type { Paint } from "../style.ts";
import { displayWidth, padEnd, padStart, wrapHanging } from "../width.ts";
import { type Column, fitColumns, GAP, type SizedColumn } from "./columns.ts";

export interface TableOptions {
  /** Infinite where nothing is to be cut or wrapped. */
  readonly width: number;
  readonly paint: Paint;
  /** Title of the column that remarks stand below; default the first. */
  readonly remarksBelow?: string;
}

export interface TableRow {
  readonly cells: readonly string[];
  /** Remarks below the row, indented and broken to fit. */
  readonly below?: readonly string[];
}

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
  const fitted = fitColumns(columns, {
    rows: rows.map(({ cells }) => cells),
    width: options.width,
  });
  const head = fitted.map(({ title, ...column }) => aligned(options.paint.bold(title), column));
  const indent = GAP + startOf(fitted, options.remarksBelow);
  const lines = [
    head.join(" ".repeat(GAP)).trimEnd(),
    ...rows.flatMap((row) => [
      ...rowLines(row.cells, fitted),
      ...remarks(row, { ...options, indent }),
    ]),
  ];
  return lines.map((text) => `${text}\n`).join("");
}

/** Names and reasons come from nodes: one line, and no control character but our own colours. */
function safeCell(cell: string, { paint }: TableOptions): string {
  return cell.split("\n").map((line) => harmless(line, paint)).join(" ");
}

function rowLines(cells: readonly string[], columns: readonly SizedColumn[]): string[] {
  const lines: string[] = [];
  let top = 0;
  let start = 0;
  for (const column of columns) {
    const texts = column.linesOf(cells[column.at] ?? "");
    for (const [below, text] of texts.entries()) {
      lines[top + below] = padEnd(lines[top + below] ?? "", start) + aligned(text, column);
    }
    // What stands whole has pushed the rest of its row to the next line.
    if (texts.some((text) => displayWidth(text) > column.width)) top = lines.length;
    start += column.width + GAP;
  }
  return lines.map((text) => text.trimEnd());
}

function aligned(text: string, { align, width }: Pick<SizedColumn, "align" | "width">): string {
  return align === "right" ? padStart(text, width) : padEnd(text, width);
}

function startOf(columns: readonly SizedColumn[], title: string | undefined): number {
  const place = Math.max(0, columns.findIndex((column) => column.title === title));
  return columns.slice(0, place).reduce((sum, { width }) => sum + width + GAP, 0);
}

interface RemarkOptions extends TableOptions {
  readonly indent: number;
}

function remarks(row: TableRow, { width, paint, indent }: RemarkOptions): string[] {
  return (row.below ?? []).flatMap((text) => wrapHanging(oneLine(text), { width, indent }))
    .map((line) => paint.dim(line));
}

/** Names and values in two columns, as in `grid show`. */
export function renderFacts(
  facts: readonly (readonly [name: string, value: string])[],
  paint: Paint,
): string {
  const width = Math.max(0, ...facts.map(([name]) => displayWidth(name)));
  return facts.map(([name, value]) => `${paint.dim(padEnd(name, width))}  ${value}\n`).join("");
}
