import { indentOf } from "./indent_trap.ts";
import type { Lines } from "../lines.ts";
import { drop, type Repair } from "./repair.ts";
import type { FaultyText, ParseFault, Trap } from "./parse_fault.ts";

/** Things in a file that YAML has no words for: blanks of other kinds, and several files in one. */
export function textTrap(fault: ParseFault, text: FaultyText): Trap | undefined {
  if (fault.code === "MULTIPLE_DOCS") return secondDocument(fault, text);
  return tab(fault, text) ?? oddBlank(fault, text);
}

/** What git leaves where two people changed the same lines; one report for each. */
export function conflictTraps(lines: Lines): Trap[] {
  const traps: Trap[] = [];
  for (let line = 1; line <= lines.count; line++) {
    if (!lines.line(line).startsWith("<<<<<<< ")) continue;
    const last = find(lines, { from: line + 1, mark: ">>>>>>>" });
    if (last === undefined) return traps;
    const middle = find(lines, { from: line + 1, mark: "|||||||" }) ??
      find(lines, { from: line + 1, mark: "=======" }) ?? last;
    const start = lines.start(line);
    traps.push({
      rule: "merge-conflict",
      message: "a merge conflict is not resolved",
      hint:
        "keep the lines that are right, and remove the marker lines <<<<<<<, ======= and >>>>>>>",
      spot: lines.spot(start, lines.lineEnd(start)),
      // The first of the two versions is read.
      repairs: [
        drop(start, lines.lineEnd(start)),
        drop(lines.start(Math.min(middle, last)), lines.lineEnd(lines.start(last))),
      ],
    });
    line = last;
  }
  return traps;
}

function find(
  lines: Lines,
  { from, mark }: { readonly from: number; readonly mark: string },
): number | undefined {
  for (let line = from; line <= lines.count; line++) {
    const text = lines.line(line);
    if (text.startsWith(mark)) return line;
    if (text.startsWith("<<<<<<<")) return undefined;
  }
  return undefined;
}

function secondDocument(fault: ParseFault, { lines }: FaultyText): Trap {
  const { line } = fault.spot.place;
  const isEnd = !fault.spot.sourceLine.startsWith("---");
  const mark = isEnd ? "..." : "---";
  const end = isEnd ? find(lines, { from: 1, mark }) ?? line : line;
  return {
    rule: "yaml-syntax",
    message: "the file holds more than one document",
    hint: `remove the ${mark} on line ${end}, or put each document into a file of its own`,
    repairs: [drop(fault.start, lines.text.length)],
  };
}

function tab(fault: ParseFault, { lines }: FaultyText): Trap | undefined {
  const { sourceLine, place: { line, column } } = fault.spot;
  const blanks = /^ *\t\s*/.exec(sourceLine)?.[0];
  if (blanks === undefined || column > blanks.length + 1) return undefined;
  const start = lines.start(line);
  const at = start + blanks.indexOf("\t");
  const isAlone =
    !(/\n *\t/.test(lines.text.slice(start)) || /^ *\t/m.test(lines.text.slice(0, start)));
  return {
    rule: "tab-indent",
    message: "a tab is used for indentation",
    hint: "YAML wants spaces; set your editor to insert them",
    spot: lines.spot(at, at + 1),
    // How wide a tab was meant to be shows the line above, but not for more than one line.
    ...(isAlone
      ? { repairs: [spacesFor({ line, width: blanks.length }, lines)] }
      : { isLast: true }),
  };
}

/** An item moves below the last one, a key below the last key. */
function spacesFor(
  { line, width }: { readonly line: number; readonly width: number },
  lines: Lines,
): Repair {
  const isItem = (text: string) => /^\s*-/.test(text);
  let above = line - 1;
  if (isItem(lines.line(line))) { while (above > 1 && !isItem(lines.line(above))) above--; }
  const text = above > 0 ? lines.line(above) : "";
  const column = isItem(lines.line(line))
    ? indentOf(text)
    : /^ *(?:- +)*/.exec(text)?.[0].length ?? 0;
  const start = lines.start(line);
  return { start, end: start + width, text: " ".repeat(column + (text.endsWith(":") ? 2 : 0)) };
}

/** Copied out of a web page or a chat; looks like a blank and is none. */
function oddBlank(fault: ParseFault, { lines }: FaultyText): Trap | undefined {
  const { sourceLine, place: { line } } = fault.spot;
  const blanks = /^[ \u00a0\u2000-\u200b\u202f\u3000]+/.exec(sourceLine)?.[0] ?? "";
  const odd = blanks.search(/[^ ]/);
  if (odd === -1) return undefined;
  const start = lines.start(line);
  return {
    rule: "odd-blank",
    message: "a blank of another kind is used for indentation; YAML wants plain spaces",
    hint: "type the spaces of this line anew; such blanks come with text copied from a web page",
    spot: lines.spot(start + odd, start + odd + 1),
    repairs: [{ start, end: start + blanks.length, text: " ".repeat(blanks.length) }],
  };
}
