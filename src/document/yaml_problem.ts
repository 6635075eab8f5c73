import type { Document, YAMLError } from "yaml";
import type { Diagnostic } from "./diagnostic.ts";
import type { Lines, Spot } from "./lines.ts";
import type { TreeProblem } from "./tree.ts";
import { braceTrap, isNoDash, knownTrap, lowerFirst } from "./yaml_trap.ts";

/** Rules about braces that stand without quotes. */
export const BRACE_RULES: ReadonlySet<string> = new Set(["bare-braces", "expression-in-flow"]);

/** Mistakes in the YAML itself, in the words of somebody who does not know the YAML standard. */
export function yamlDiagnostics(
  document: Pick<Document, "errors" | "warnings">,
  problems: readonly TreeProblem[],
  lines: Lines,
): Diagnostic[] {
  const errors = firstPerLine(document.errors, lines).map((error) =>
    syntaxDiagnostic(error, lines)
  );
  const tags = document.warnings.map((warning) => tagDiagnostic(warning, lines));
  const tree = errors.length > 0 ? [] : problems.map((problem) => treeDiagnostic(problem, lines));
  return [...errors, ...tags, ...tree];
}

/** One slip makes the parser stumble several times; what it says first is the one to read. */
function firstPerLine(errors: readonly YAMLError[], lines: Lines): YAMLError[] {
  const seen = new Set<number>();
  const kept: YAMLError[] = [];
  for (const error of errors) {
    const { line } = lines.place(error.pos[0]);
    if (!seen.has(line) && !seen.has(line - 1)) kept.push(error);
    seen.add(line);
  }
  return kept;
}

function syntaxDiagnostic(error: YAMLError, lines: Lines): Diagnostic {
  const { offset, spot } = spotOf(error, lines);
  const trap = braceTrap(spot, lines, offset) ?? knownTrap(error, spot, lines);
  return {
    severity: "error",
    rule: trap?.rule ?? "yaml-syntax",
    ...(trap?.spot ?? spot),
    message: trap?.message ?? lowerFirst(error.message),
    ...(trap?.hint === undefined ? {} : { hint: trap.hint }),
  };
}

/** At the end of the file the last line is shown; at the edge of a line its first word. */
function spotOf(error: YAMLError, lines: Lines): { readonly offset: number; readonly spot: Spot } {
  const start = Math.min(error.pos[0], Math.max(0, lines.text.length - 1));
  const blanks = /^ */.exec(lines.spot(start, start + 1).sourceLine)?.[0].length ?? 0;
  const isAtEdge = lines.place(start).column === 1 && error.code === "BAD_INDENT" ||
    isNoDash(error);
  const offset = isAtEdge ? start + blanks : start;
  return { offset, spot: lines.spot(offset, Math.max(error.pos[1], offset + 1)) };
}

/** `if: !cancelled()` is a tag to YAML, and the value is gone. */
function tagDiagnostic(warning: YAMLError, lines: Lines): Diagnostic {
  const spot = lines.spot(...warning.pos);
  const rest = spot.sourceLine.slice(spot.place.column - 1).trim();
  return {
    severity: "error",
    rule: "unknown-tag",
    ...spot,
    message: `YAML takes ${rest.split(" ")[0]} for a tag, so the value would be lost`,
    hint: `put it in quotes: "${rest}"`,
  };
}

function treeDiagnostic(problem: TreeProblem, lines: Lines): Diagnostic {
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
