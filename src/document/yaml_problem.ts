import type { Document, YAMLError } from "yaml";
import type { Diagnostic } from "./diagnostic.ts";
import type { Lines, Spot } from "./lines.ts";
import type { TreeProblem } from "./tree.ts";

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

function isNoDash(error: YAMLError): boolean {
  return error.message === "Sequence item without - indicator";
}

interface Trap {
  readonly rule: string;
  readonly message: string;
  readonly hint?: string;
  readonly spot?: Spot;
}

/** `{{ x }}` and `${{ x }}` inside `{a: …}` or `[…]`: YAML takes the braces for itself. */
function braceTrap(spot: Spot, lines: Lines, offset: number): Trap | undefined {
  const before = spot.sourceLine.slice(0, spot.place.column + 1);
  const at = before.lastIndexOf("{{");
  if (at === -1) return undefined;
  const close = spot.sourceLine.indexOf("}}", at);
  const end = close === -1 ? spot.sourceLine.length : close + 2;
  const lineStart = offset - (spot.place.column - 1);
  if (spot.sourceLine.charAt(at - 1) !== "$") {
    const inner = spot.sourceLine.slice(at + 2, close === -1 ? undefined : close).trim();
    return {
      rule: "bare-braces",
      message: "{{ }} is a YAML map, not an expression",
      hint: `write "\${{ ${inner} }}"`,
      spot: lines.spot(lineStart + at, lineStart + end),
    };
  }
  return {
    rule: "expression-in-flow",
    message:
      "an expression inside { } or [ ] needs quotes, because YAML takes its braces for a map",
    hint: `write "${spot.sourceLine.slice(at - 1, end)}" with the quotes`,
    spot: lines.spot(lineStart + at - 1, lineStart + end),
  };
}

function knownTrap(error: YAMLError, spot: Spot, lines: Lines): Trap | undefined {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return {
        rule: "tab-indent",
        message: "a tab is used for indentation",
        hint: "YAML wants spaces; set your editor to insert them",
      };
    case "BLOCK_AS_IMPLICIT_KEY":
      return {
        rule: "yaml-syntax",
        message: 'a second ": " in one line makes a map inside a plain value',
        hint: "put the value in quotes, or write it as a block after |",
      };
    case "BAD_SCALAR_START":
      return {
        rule: "yaml-syntax",
        message: `a plain value cannot start with ${spot.sourceLine.charAt(spot.place.column - 1)}`,
        hint: "put the value in quotes",
      };
    case "BAD_DQ_ESCAPE":
      return {
        rule: "yaml-syntax",
        message: "unknown escape in a double-quoted value",
        hint: "use single quotes, or write the backslash twice",
      };
    case "BAD_INDENT":
      if (/^ *-[^ -]/.test(spot.sourceLine)) {
        return {
          rule: "yaml-syntax",
          message: "a dash that starts a list item needs a blank after it",
          hint: `write - ${spot.sourceLine.trim().slice(1)}`,
        };
      }
      return {
        rule: "yaml-syntax",
        message: lowerFirst(error.message),
        hint: "compare the indentation of this line with the lines above",
      };
    case "MULTIPLE_DOCS":
      return {
        rule: "yaml-syntax",
        message: "the file holds more than one document",
        hint: "remove the --- line, or put each document into a file of its own",
      };
    case "MISSING_CHAR":
      if (isNoDash(error)) {
        return {
          rule: "yaml-syntax",
          message: "this line is indented neither like the list items above nor like their keys",
          hint: "give it as many spaces as the line it belongs to",
        };
      }
      return missingChar(error, lines);
    default:
      return undefined;
  }
}

/** An open quote runs to the end of the file; the place to look at is where it opens. */
function missingChar(error: YAMLError, lines: Lines): Trap | undefined {
  const quote = /Missing closing (['"])quote/.exec(error.message)?.[1];
  if (quote === undefined) return undefined;
  const lineStart = lines.text.lastIndexOf("\n", error.pos[0] - 1) + 1;
  const open = lines.text.indexOf(quote, lineStart);
  const at = open === -1 ? lines.text.lastIndexOf(quote) : open;
  return {
    rule: "yaml-syntax",
    message: `the ${quote} that opens here is never closed`,
    hint: `add the closing ${quote}`,
    spot: lines.spot(at, at + 1),
  };
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
    ? undefined
    : `it stands already on line ${lines.place(problem.first).line}; keep one of them`;
  return {
    severity: "error",
    rule: problem.rule,
    ...lines.spot(...problem.range),
    message: problem.message,
    ...(hint === undefined ? {} : { hint }),
  };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
