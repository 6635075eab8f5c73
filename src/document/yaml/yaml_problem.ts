import type { YAMLError } from "./yaml.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Lines } from "../lines.ts";
import type { RepairedText } from "./repair.ts";
import type { ParseFault, Trap } from "./parse_fault.ts";
import type { TreeProblem } from "../tree.ts";

/** Where the parser stumbled, in a text that was mended before. */
export function parseFaultOf(
  error: YAMLError,
  { lines, repaired }: { readonly lines: Lines; readonly repaired: RepairedText },
): ParseFault {
  const { code, message, pos } = error;
  // At the end of the file the last line is shown.
  const there = Math.min(repaired.original(pos[0]), Math.max(0, lines.text.length - 1));
  const start = pastEmptyLines(there, { lines, code });
  const end = Math.max(repaired.original(pos[1]), start + 1);
  // At the edge of a line its first word.
  const { column, line } = lines.place(start);
  const text = lines.line(line);
  const blanks = text.length - text.trimStart().length;
  const isAtEdge = code === "BAD_INDENT" && column === 1 || column <= blanks &&
      /^(Sequence item without|A block sequence may not|All mapping items)/.test(message);
  const offset = isAtEdge ? lines.start(line) + blanks : start;
  return {
    code,
    message,
    start: offset,
    end: Math.max(end, offset + 1),
    spot: lines.spot(offset, Math.max(end, offset + 1)),
  };
}

/** The parser counts the empty lines before a line of wrong indentation to that line. */
function pastEmptyLines(
  offset: number,
  { lines, code }: { readonly lines: Lines; readonly code: YAMLError["code"] },
): number {
  if (!/^(BAD_INDENT|BLOCK_AS_IMPLICIT_KEY|MISSING_CHAR)$/.test(code)) return offset;
  let { line } = lines.place(offset);
  if (lines.line(line).trim() !== "") return offset;
  while (line < lines.count && lines.line(line).trim() === "") line++;
  return lines.start(line);
}

/** A mistake in the YAML itself, in the words of somebody who does not know the YAML standard. */
export function trapDiagnostic(trap: Trap, fault: Pick<ParseFault, "spot">): Diagnostic {
  return {
    severity: "error",
    rule: trap.rule,
    ...(trap.spot ?? fault.spot),
    message: trap.message,
    ...(trap.hint === undefined ? {} : { hint: trap.hint }),
  };
}

/** `if: !cancelled()` is a tag to YAML, and the value is gone. */
export function tagDiagnostic(range: readonly [number, number], lines: Lines): Diagnostic {
  const spot = lines.spot(...range);
  const rest = spot.sourceLine.slice(spot.place.column - 1).trim();
  const [word = ""] = rest.split(" ");
  const isLone = word === "!";
  return {
    severity: "error",
    rule: "unknown-tag",
    ...spot,
    message: isLone
      ? "YAML takes this ! for a tag, so it would be lost"
      : `YAML takes ${word} for a tag, so the value would be lost`,
    hint: /^!(include|reference|import)\b/.test(word)
      ? "there are no includes; a template is used with uses:, shared values with anchors"
      : `put it in quotes: ${quoted(rest)}`,
  };
}

function quoted(text: string): string {
  return text.includes('"') ? `'${text.replaceAll("'", "''")}'` : `"${text}"`;
}

export function treeDiagnostic(problem: TreeProblem, lines: Lines): Diagnostic {
  const hint = problem.first === undefined
    ? problem.hint
    : `it stands already on line ${lines.place(problem.first).line}; keep one of them`;
  return {
    severity: "error",
    rule: problem.rule,
    ...lines.spot(...problem.range),
    message: problem.message,
    ...(hint === undefined ? {} : { hint }),
  };
}
