/** Files that are nested deeper than anything that is meant; what reads them goes in circles of its own. */
import type { Diagnostic } from "../diagnostic.ts";
import type { Lines } from "../lines.ts";
import { Lexer } from "./yaml.ts";

/** Maps and lists inside each other; a pipeline has about eight. */
export const MAX_NESTING = 100;

export const NESTING = {
  rule: "deep-nesting",
  message: `maps and lists are nested more than ${MAX_NESTING} deep`,
  hint: "look for brackets or indentation that are never closed; no file needs so many",
} as const;

/** What is said where the parser itself gave up; the place is where brackets or blanks become too many. */
export function nestingDiagnostic(lines: Lines): Diagnostic {
  const at = deepBracket(lines.text) ?? deepLine(lines) ?? 0;
  return { severity: "error", ...NESTING, ...lines.spot(at, at + 1) };
}

/** Whether an error says that the stack of the interpreter was used up. */
export function isTooDeep(error: unknown): boolean {
  return error instanceof Error && /maximum call stack/i.test(error.message);
}

/**
 * Whether brackets are open inside each other more than `MAX_NESTING` deep: looked at before the
 * parser, which takes a time that grows with depth times length.
 */
export function isNestedTooDeep(text: string): boolean {
  // Text in quotes or blocks may hold any number of brackets; only the lexer knows.
  if (deepBracket(text) === undefined) return false;
  let depth = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === "[" || token === "{") {
      if (++depth > MAX_NESTING) return true;
    } else if (token === "]" || token === "}") depth--;
    else if (token === FLOW_END) depth = 0;
  }
  return false;
}

/** The lexer's own mark for brackets that were never closed. */
const FLOW_END = "\x18";

function deepBracket(text: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "[" || char === "{") {
      if (++depth > MAX_NESTING) return at;
    } else if ((char === "]" || char === "}") && depth > 0) depth--;
  }
  return undefined;
}

/** By indentation, or dashes one behind the other. */
function deepLine(lines: Lines): number | undefined {
  for (let line = 1; line <= lines.count; line++) {
    const head = /^[ -]*/.exec(lines.line(line))?.[0].length ?? 0;
    if (head > MAX_NESTING) return lines.start(line) + head - 1;
  }
  return undefined;
}
