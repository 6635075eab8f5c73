/** The table at the head of each shell program: "function: reads -> sets". */
import { type Row, rowsOf } from "./shell_globals.ts";

const TITLE = "# function: reads -> sets";
const WIDTH = 110;

/** The table as it has to be. */
export function tableOf(program: string): string {
  return [TITLE, ...rowsOf(program).flatMap(linesOf)].join("\n");
}

/** The table as it stands there, without what is around it. */
export function tableIn(program: string): string | undefined {
  const lines = program.split("\n");
  const from = lines.indexOf(TITLE);
  return from < 0 ? undefined : lines.slice(from, from + length(lines, from)).join("\n");
}

/** The program with the table that it has to have: behind the words at its head. */
export function withTable(program: string): string {
  const lines = program.split("\n");
  const from = lines.indexOf(TITLE);
  if (from >= 0) return put(lines, { from, old: length(lines, from), table: tableOf(program) });
  const end = lines.findIndex((line) => !line.startsWith("#"));
  // What is told to shellcheck stands next to the first line of code.
  const told = lines.slice(0, end).findLastIndex((line) => !line.startsWith("# shellcheck"));
  return put(lines, { from: told + 1, old: 0, table: `#\n${tableOf(program)}` });
}

function put(
  lines: readonly string[],
  { from, old, table }: { readonly from: number; readonly old: number; readonly table: string },
): string {
  return [...lines.slice(0, from), table, ...lines.slice(from + old)].join("\n");
}

function length(lines: readonly string[], from: number): number {
  const rows = lines.slice(from + 1).findIndex((line) => !line.startsWith("#   "));
  return 1 + rows;
}

function linesOf({ name, reads, sets }: Row): readonly string[] {
  const words = [`${name}:`, ...wordsOf(reads), "->", ...wordsOf(sets)];
  const lines: string[] = [];
  let line = "#  ";
  for (const word of words) {
    if (line.length + word.length + 1 > WIDTH) {
      lines.push(line);
      line = "#      ";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function wordsOf(names: ReadonlySet<string>): readonly string[] {
  return names.size === 0 ? ["-"] : [...names].sort();
}
