import type { Diagnostic } from "../../document/diagnostic.ts";
import { charWidth } from "../width.ts";

/** A source line cut to the terminal, and where the caret stands below it. */
export interface CodeFrame {
  readonly lineNumber: string;
  readonly source: string;
  readonly indent: number;
  readonly carets: number;
}

const TAB = "    ";
/** Columns kept in view before the caret when a long line is cut at its start. */
const LEAD = 20;

export function frameOf(diagnostic: Diagnostic, width: number): CodeFrame {
  const lineNumber = String(diagnostic.place.line);
  const room = Math.max(20, width - lineNumber.length - 3);
  const cells = cellsOf(diagnostic.sourceLine);
  const from = diagnostic.place.column - 1;
  const start = columnsUpTo(cells, from);
  const end = columnsUpTo(cells, from + Math.max(1, diagnostic.length));
  const skip = start > room - 10 ? Math.max(0, start - LEAD) : 0;
  const source = view(cells, { skip, room });
  const indent = start - skip + (skip > 0 ? 1 : 0);
  return { lineNumber, source, indent, carets: clamp(end - start, 1, Math.max(1, room - indent)) };
}

/** What each UTF-16 unit of the line looks like; columns of places count these units. */
function cellsOf(line: string): string[] {
  return [...line].flatMap((char) => {
    const shown = char === "\t" ? TAB : /\p{Cc}/u.test(char) ? "\ufffd" : char;
    return char.length === 2 ? [shown, ""] : [shown];
  });
}

function columnsUpTo(cells: readonly string[], count: number): number {
  let columns = 0;
  // A place may lie behind the end of its line, where something is missing.
  for (let i = 0; i < count; i++) columns += i < cells.length ? cellWidth(cells[i] ?? "") : 1;
  return columns;
}

function cellWidth(cell: string): number {
  let width = 0;
  for (const char of cell) width += charWidth(char);
  return width;
}

function view(cells: readonly string[], window: { skip: number; room: number }): string {
  let column = 0;
  let text = window.skip > 0 ? "…" : "";
  for (const cell of cells) {
    const before = column;
    column += cellWidth(cell);
    if (before < window.skip) continue;
    if (column - window.skip > window.room - 2) return `${text}…`;
    text += cell;
  }
  return text;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
