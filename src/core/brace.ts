/** `{a,b}` and `{1..9}` of a glob, as the several patterns that they stand for. */
import { GlobFault } from "./glob_fault.ts";

/** Patterns that one may stand for; more than anybody writes. */
const MOST_PATTERNS = 1000;
/** Characters of all of them. */
const MOST_CHARACTERS = 100_000;
/** `{` inside of `{`. */
const DEEPEST = 50;

/** A list of choices, or a text; a pattern is a row of them. */
type Piece = string | readonly Row[];
type Row = readonly Piece[];

/** @throws {GlobFault} where it stands for more than 1000 patterns, or has 100,000 characters */
export function expandBraces(pattern: string): string[] {
  if (pattern.length > MOST_CHARACTERS) throw tooLong();
  return [...new Set(textsOf(parseRow(pattern)))];
}

/** A `{` that is to be closed; one without a partner means itself, as does one after a `\`. */
interface Opened {
  readonly row: Piece[];
  readonly rows: Row[];
  readonly start: number;
}

function parseRow(pattern: string): Row {
  const open: Opened[] = [];
  let row: Piece[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    const top = open.at(-1);
    if (char === "\\") {
      row.push(pattern.slice(at, at + 2));
      at++;
    } else if (char === "{") {
      if (open.length === DEEPEST) throw tooDeep();
      open.push({ row, rows: [], start: at });
      row = [];
    } else if (char === "," && top) {
      top.rows.push(row);
      row = [];
    } else if (char === "}" && top) {
      open.pop();
      const inside = pattern.slice(top.start + 1, at);
      const range = top.rows.length === 0 ? numbersOf(inside) : undefined;
      top.rows.push(row);
      if (range) top.row.push(range);
      else if (top.rows.length > 1) top.row.push(top.rows);
      else for (const piece of ["{", ...row, "}"]) top.row.push(piece);
      row = top.row;
    } else row.push(char);
  }
  // What was never closed is plain.
  for (const { row: before, rows } of open.toReversed()) {
    row = [...before, "{", ...rows.flatMap((each) => [...each, ","]), ...row];
  }
  return row;
}

/** `1..3`, `a..e`, `01..10..3`. */
function numbersOf(inside: string): Row[] | undefined {
  const found = /^(?:(-?\d{1,15})\.\.(-?\d{1,15})|([A-Za-z])\.\.([A-Za-z]))(?:\.\.-?(\d{1,15}))?$/
    .exec(inside);
  if (found === null) return undefined;
  const [, first = "", last = "", letter = "", lastLetter = "", step = "1"] = found;
  const isOfLetters = letter !== "";
  const from = isOfLetters ? letter.charCodeAt(0) : Number(first);
  const to = isOfLetters ? lastLetter.charCodeAt(0) : Number(last);
  const width = /^-?0\d/.test(first) || /^-?0\d/.test(last)
    ? Math.max(first.length, last.length)
    : 0;
  const by = Math.max(1, Number(step));
  const count = Math.floor(Math.abs(to - from) / by) + 1;
  if (count > MOST_PATTERNS) throw tooMany();
  return Array.from({ length: count }, (_, index) => {
    const value = from + Math.sign(to - from) * index * by;
    if (isOfLetters) return [String.fromCharCode(value)];
    const digits = String(Math.abs(value));
    return [value < 0 ? `-${digits.padStart(width - 1, "0")}` : digits.padStart(width, "0")];
  });
}

/** Every way to choose; how many there are is looked at before they are made. */
function textsOf(row: Row): string[] {
  let texts = [""];
  for (const piece of row) {
    if (typeof piece === "string") {
      texts = texts.map((text) => text + piece);
      continue;
    }
    const choices = piece.flatMap(textsOf);
    const count = texts.length * choices.length;
    if (count > MOST_PATTERNS) throw tooMany();
    texts = texts.flatMap((text) => choices.map((choice) => text + choice));
    if (texts.reduce((sum, text) => sum + text.length, 0) > MOST_CHARACTERS) throw tooLong();
  }
  return texts;
}

function tooMany(): GlobFault {
  return new GlobFault(
    `its braces stand for more than ${MOST_PATTERNS} patterns`,
    "give several globs, or a wider one: *",
  );
}

function tooLong(): GlobFault {
  return new GlobFault(
    `with its braces it has more than ${MOST_CHARACTERS} characters`,
    "give several globs, or a wider one: *",
  );
}

function tooDeep(): GlobFault {
  return new GlobFault(
    `more than ${DEEPEST} braces are open at once`,
    "write \\{ for the sign itself",
  );
}
