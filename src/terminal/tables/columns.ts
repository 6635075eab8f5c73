/** How wide the columns of a table are: they give way where the terminal is narrow. */
import { shortNames } from "../../core/short_names.ts";
import { cut, displayWidth, wrap } from "../width.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Gives way where the terminal is narrow: down to so many columns. */
  readonly shrinkTo?: number;
  /**
   * How a cell that is wider than its column fits in; by default it is cut. `names` stay different
   * from each other. What is `pasted` stays whole, and the rest of its row stands on the next line.
   * `words` go on below.
   */
  readonly fit?: "cut" | "names" | "pasted" | "words";
  /** Left out, the last one first, where shrinking is not enough. */
  readonly isOptional?: true;
}

export interface SizedColumn extends Column {
  /** Which cell of a row stands here. */
  readonly at: number;
  readonly width: number;
  /** The lines of a cell. */
  readonly linesOf: (cell: string) => readonly string[];
}

/** Columns are so many blanks apart; there are no lines, so that rows can be copied and grepped. */
export const GAP = 2;

/** Columns that may shrink give way, the widest first; where that is not enough, one is left out. */
export function fitColumns(
  columns: readonly Column[],
  { rows, width }: { readonly rows: readonly (readonly string[])[]; readonly width: number },
): readonly SizedColumn[] {
  const wanted = columns.map((column, at) => {
    const cells = rows.map((row) => row[at] ?? "");
    return { ...column, at, cells, width: widest([column.title, ...cells]) };
  });
  // Names that were shortened may need less than they were left; the others have the rest.
  const named = shrunk(wanted, width).filter(({ fit }) => fit === "names").map(withShortNames);
  const again = wanted.map((column) => named.find(({ at }) => at === column.at) ?? column);
  return shrunk(again, width).map((column) => ({ linesOf: fitterOf(column), ...column }));
}

function withShortNames({ shrinkTo: _, ...column }: WantedColumn): WantedColumn {
  const short = shortNames(column.cells, { width: column.width, widthOf: displayWidth });
  const width = widest([column.title, ...column.cells.map(short)]);
  return { ...column, width, linesOf: (cell) => [short(cell)] };
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map(displayWidth));
}

interface WantedColumn extends Column {
  readonly at: number;
  readonly cells: readonly string[];
  readonly linesOf?: SizedColumn["linesOf"];
  width: number;
}

function shrunk(wanted: readonly WantedColumn[], width: number): readonly WantedColumn[] {
  const columns = wanted.map((column) => ({ ...column }));
  const spare = (column: WantedColumn) => column.width - (column.shrinkTo ?? column.width);
  let excess = columns.reduce((sum, column) => sum + column.width + GAP, -GAP) - width;
  for (; excess > 0; excess--) {
    const most = Math.max(...columns.map(spare));
    const widest = columns.find((column) => spare(column) === most);
    if (widest === undefined || most <= 0) break;
    widest.width -= 1;
  }
  const last = wanted.findLastIndex(({ isOptional }) => isOptional);
  return excess <= 0 || last < 0 ? columns : shrunk(wanted.toSpliced(last, 1), width);
}

function fitterOf({ fit, width }: WantedColumn): SizedColumn["linesOf"] {
  switch (fit) {
    case "pasted":
      return (cell) => [cell];
    case "words":
      return (cell) => wrap(cell, width);
    default:
      return (cell) => [cut(cell, width)];
  }
}
