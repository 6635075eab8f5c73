import type { Lines } from "../lines.ts";
import { drop, insert, type Repair } from "./repair.ts";
import type { FaultyText, ParseFault, Trap } from "./parse_fault.ts";

/** Lines that are indented unlike those they belong to. */
export function indentTrap(fault: ParseFault, { lines }: FaultyText): Trap | undefined {
  const { line } = fault.spot.place;
  const item = oddItem(line, lines);
  if (item !== undefined) return item;
  const blocks = /^(BLOCK_AS_IMPLICIT_KEY|MULTILINE_IMPLICIT_KEY)$/.test(fault.code);
  const { sourceLine, place } = fault.spot;
  const isValue = /:(?: |$)/.test(sourceLine) && !/: /.test(sourceLine.slice(place.column - 1));
  if (blocks && isValue) {
    const next = nextInk(line, lines);
    if (next === undefined || indentOf(lines.line(next)) <= indentOf(lines.line(line))) {
      return undefined;
    }
    return oddItem(next, lines) ?? oddDash({ line, next }, lines) ?? tooDeep(next, lines);
  }
  if (fault.message === "Sequence item without - indicator") {
    const above = inkAbove(line, lines);
    return oddDash({ line: above, next: line }, lines) ?? {
      rule: "yaml-syntax",
      message: "this line is indented neither like the list items above nor like their keys",
      hint: "give it as many spaces as the line it belongs to",
      repairs: toNearest(line, lines),
    };
  }
  if (fault.code !== "BAD_INDENT") return undefined;
  if (/^ *-[^ -]/.test(fault.spot.sourceLine)) return gluedDash(line, lines);
  return {
    rule: "yaml-syntax",
    message: "this line is indented unlike the lines above",
    hint: "give it as many spaces as the line it belongs to",
    repairs: toNearest(line, lines),
  };
}

/** An item without the blank after its dash, or with the dash in another column than the others. */
function oddDash(
  { line, next }: { readonly line: number; readonly next: number },
  lines: Lines,
): Trap | undefined {
  const text = lines.line(line);
  if (/^ *-[\w-]+: /.test(text)) return gluedDash(line, lines);
  if (!isItem(text)) return undefined;
  const wanted = indentOf(lines.line(next)) - 2;
  if (wanted === indentOf(text)) return undefined;
  const dash = lines.start(line) + indentOf(text);
  for (let below = next + 1; below <= lines.count; below++) {
    if (!isItem(lines.line(below)) || indentOf(lines.line(below)) > wanted) continue;
    if (indentOf(lines.line(below)) < wanted) return undefined;
    return {
      rule: "yaml-syntax",
      message: "this item is indented unlike the others",
      hint: "give it as many spaces as the items below",
      spot: lines.spot(dash, dash + 1),
      repairs: [move(lines.start(line), wanted - indentOf(text))],
    };
  }
  return undefined;
}

function gluedDash(line: number, lines: Lines): Trap {
  const text = lines.line(line);
  const dash = lines.start(line) + indentOf(text);
  return {
    rule: "yaml-syntax",
    message: "a dash that starts a list item needs a blank after it",
    hint: `write - ${text.trim().slice(1)}`,
    spot: lines.spot(dash, dash + 1),
    repairs: [insert(dash + 1, " ")],
  };
}

/** A plain value runs on over lines that are indented deeper than its key, keys and all. */
function tooDeep(line: number, lines: Lines): Trap {
  const start = lines.start(line) + indentOf(lines.line(line));
  return {
    rule: "yaml-syntax",
    message: "this line is indented deeper than the key above, so YAML adds it to the value there",
    hint: "give it as many spaces as the line above",
    spot: lines.spot(start, lines.lineEnd(start)),
    repairs: toNearest(line, lines),
  };
}

/** ` - id: b` among items that start with `- id:`. */
function oddItem(line: number, lines: Lines): Trap | undefined {
  const text = lines.line(line);
  if (!isItem(text)) return undefined;
  const indent = indentOf(text);
  const wanted = columnOfItems(line, lines);
  if (wanted === undefined || wanted === indent) return undefined;
  const dash = lines.start(line) + indent;
  return {
    rule: "yaml-syntax",
    message: "this item is indented unlike the others",
    hint: "give it as many spaces as the items above",
    spot: lines.spot(dash, dash + 1),
    repairs: shift({ line, to: wanted }, lines),
  };
}

/** The column of the list that the item at `line` must belong to; undefined where it opens one. */
function columnOfItems(line: number, lines: Lines): number | undefined {
  const indent = indentOf(lines.line(line));
  let deeper: number | undefined;
  for (let above = line - 1; above >= 1; above--) {
    const text = lines.line(above);
    if (!hasInk(text)) continue;
    const column = indentOf(text);
    if (column > indent) {
      if (isItem(text)) deeper = Math.min(deeper ?? column, column);
      continue;
    }
    if (isItem(text)) {
      if (column === indent) return undefined;
      if (deeper === undefined && opensBlock(text)) return undefined;
      return deeper !== undefined && deeper - indent < indent - column ? deeper : column;
    }
    if (opensBlock(text)) return deeper;
  }
  return undefined;
}

/** Moves a line and what belongs to it to the column that is nearest among the lines above. */
function toNearest(line: number, lines: Lines): Repair[] {
  const indent = indentOf(lines.line(line));
  const columns: number[] = [];
  let least = Infinity;
  for (let above = line - 1; above >= 1 && least > 0; above--) {
    const text = lines.line(above);
    if (!hasInk(text)) continue;
    const keys = /^ *(?:- +)*/.exec(text)?.[0].length ?? 0;
    if (keys < least) columns.push(keys);
    least = Math.min(least, indentOf(text));
  }
  const distance = (column: number) => Math.abs(column - indent);
  const [to] = columns.filter((column) => column !== indent).sort((a, b) =>
    distance(a) - distance(b)
  );
  return to === undefined ? [] : shift({ line, to }, lines);
}

/** Shifts a line, the lines below that are deeper, and the items and keys that follow in its column. */
function shift(
  { line, to }: { readonly line: number; readonly to: number },
  lines: Lines,
): Repair[] {
  const first = lines.line(line);
  const indent = indentOf(first);
  const repairs: Repair[] = [];
  let isMoving = true;
  for (let at = line; at <= lines.count; at++) {
    const text = lines.line(at);
    if (!hasInk(text)) continue;
    const column = indentOf(text);
    if (column < indent || column === indent && isItem(text) !== isItem(first)) break;
    // What stands right already stays there, as keys do where only their dash is out of line.
    if (column === to && isItem(text) === isItem(first)) break;
    if (column > indent && !isMoving || !isItem(first) && column > to && to > indent) continue;
    repairs.push(move(lines.start(at), to - indent));
    if (column === indent && isItem(text)) {
      const next = nextInk(at, lines);
      isMoving = next === undefined || indentOf(lines.line(next)) !== to + 2;
    }
  }
  return repairs;
}

function move(start: number, by: number): Repair {
  return by > 0 ? insert(start, " ".repeat(by)) : drop(start, start - by);
}

function nextInk(line: number, lines: Lines): number | undefined {
  for (let at = line + 1; at <= lines.count; at++) if (hasInk(lines.line(at))) return at;
  return undefined;
}

function inkAbove(line: number, lines: Lines): number {
  for (let at = line - 1; at >= 1; at--) if (hasInk(lines.line(at))) return at;
  return 1;
}

function hasInk(text: string): boolean {
  return /^\s*[^\s#]/.test(text);
}

function isItem(text: string): boolean {
  return /^ *-(?: |$)/.test(text);
}

/** A key without a value on its line, or with the head of a block of text. */
function opensBlock(text: string): boolean {
  return /:(?: +[|>][-+\d]*)?\s*(?: #.*)?$/.test(text);
}

export function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}
