/** What CEL says of a faulty expression, in plainer words and with a way out. */
import type { ASTNode } from "./cel_library.ts";
import type { Problem, Span } from "./expression_parts.ts";
import { foreignSyntax } from "./foreign_syntax.ts";
import { TooDeep } from "./nesting.ts";
import { typeProblem } from "./type_words.ts";

/** CEL's own message, its place, and plainer words for the frequent ones. */
export function celWords(error: unknown, source: string): Problem {
  if (error instanceof TooDeep) {
    return {
      rule: "bad-expression",
      at: trimmed(source),
      message: error.message,
      hint: error.hint,
    };
  }
  const cel = error as CelError;
  const summary = cel.summary ?? String(error);
  const at = cel.range ?? trimmed(source);
  const faulty = { summary, at, node: cel.node, source };
  return typeProblem(faulty) ?? foreignSyntax(source, at) ?? syntaxProblem(faulty);
}

interface CelError {
  readonly summary?: string;
  readonly range?: Span;
  readonly node?: ASTNode;
}

interface Faulty {
  readonly summary: string;
  readonly at: Span;
  readonly source: string;
}

function syntaxProblem({ summary, at, source }: Faulty): Problem {
  const rule = "bad-expression";
  if (/^Unexpected token: EOF/.test(summary)) {
    return { rule, at, message: "the expression ends too early", hint: endHint(source) };
  }
  if (/^Unterminated string/.test(summary)) {
    const quote = source.charAt(at.start);
    const hint = `close it with ${quote}`;
    return { rule, at, message: "the text is not closed", hint };
  }
  const most = /^Exceeded maxDepth \((\d+)\)/.exec(summary)?.[1];
  if (most !== undefined) {
    const { message, hint } = new TooDeep(Number(most));
    return { rule, at, message, hint };
  }
  const missing = /^Expected (\w+), got /.exec(summary)?.[1] ?? "";
  const sign = CLOSING_SIGNS[missing];
  if (sign !== undefined) {
    return { rule, at, message: `${sign} is missing`, hint: `add ${sign} where it belongs` };
  }
  if (missing === "IDENTIFIER") {
    const hint = "write a name after it, or remove it";
    return { rule, at: { start: at.start - 1, end: at.start }, message: "no name follows", hint };
  }
  const sort = /^(?:Unexpected (?:character|token)|Reserved identifier)/.test(summary);
  const word = /^(?:\w+|[&|]+|.)/u.exec(source.slice(at.start))?.[0];
  const message = sort && word !== undefined ? `${word} has no meaning here` : lowerFirst(summary);
  return { rule, at, message };
}

/** Signs by what CEL calls them. */
const CLOSING_SIGNS: Readonly<Record<string, string>> = {
  RPAREN: ")",
  RBRACKET: "]",
  RBRACE: "}",
  COLON: ":",
};

function endHint(source: string): string {
  const operator = /(\S)\1?\s*$/.exec(source)?.[0].trim() ?? "";
  return /^[-+*/%<>=!&|?:,.]+$/.test(operator)
    ? `write what belongs after ${operator}`
    : "close what was opened: ( [ { or a quote";
}

export function trimmed(source: string): Span {
  return { start: source.length - source.trimStart().length, end: source.trimEnd().length };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
