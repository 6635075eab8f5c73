/** What CEL says of a faulty expression, in plainer words and with a way out. */
import type { Problem } from "./expression_parts.ts";

/** CEL's own message, its place, and plainer words for the frequent ones. */
export function celWords(error: unknown, source: string): Problem {
  const cel = error as { summary?: string; range?: { start: number; end: number } };
  const summary = cel.summary ?? String(error);
  const at = cel.range ?? trimmed(source);
  const overload = /^no such overload: (\S+) (\S+) (\S+)$/.exec(summary);
  if (overload) {
    const [, left = "", operator, right = ""] = overload;
    const message = `${typeWord(left)} ${operator} ${typeWord(right)} has no meaning`;
    return {
      rule: "wrong-type",
      at,
      message,
      hint: "convert one side: string(…), int(…), double(…)",
    };
  }
  const operand = /^Logical operator requires bool operands, got '(\w+)/.exec(summary)?.[1];
  if (operand !== undefined) {
    const message = `&& and || take true or false, here is ${typeWord(operand)}`;
    return { rule: "wrong-type", at, message, hint: "compare it with something, such as != 0" };
  }
  const method = /^found no matching overload for '(\w+)\.(\w+)\(/.exec(summary);
  if (method) {
    const [, type = "", name] = method;
    return { rule: "wrong-type", at, message: `${typeWord(type)} has no function ${name}()` };
  }
  const foreign = foreignOperator(source, at);
  if (foreign !== undefined) return { rule: "bad-expression", ...foreign };
  if (/^Unexpected token: EOF/.test(summary)) {
    const message = "the expression ends too early";
    return { rule: "bad-expression", at, message, hint: endHint(source) };
  }
  const missing = /^Expected (\w+), got /.exec(summary)?.[1] ?? "";
  const sign = CLOSING_SIGNS[missing];
  if (sign !== undefined) {
    const message = `${sign} is missing`;
    return { rule: "bad-expression", at, message, hint: `add ${sign} where it belongs` };
  }
  const isAssignment = /(^|[^=!<>])=([^=]|$)/.test(source);
  return {
    rule: "bad-expression",
    at,
    message: lowerFirst(summary),
    ...(isAssignment ? { hint: "compare with ==" } : {}),
  };
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

/** Operators of other languages by the word or sign that an expression stumbles over. */
const FOREIGN_OPERATORS: Readonly<Record<string, string>> = {
  "and": "write &&",
  "or": "write ||",
  "not": "write !",
  "is": "write ==",
  "|": "write || for or; there are no filters",
  "&": "write &&",
  "“": 'write plain quotes: "…"',
  "”": 'write plain quotes: "…"',
  "‘": "write plain quotes: '…'",
  "’": "write plain quotes: '…'",
};

function foreignOperator(
  source: string,
  at: { readonly start: number; readonly end: number },
): Omit<Problem, "rule"> | undefined {
  const start = at.start - (/[a-z]*$/.exec(source.slice(0, at.start))?.[0].length ?? 0);
  const word = /^(?:[a-z]+|.)/u.exec(source.slice(start))?.[0] ?? "";
  const hint = Object.hasOwn(FOREIGN_OPERATORS, word) ? FOREIGN_OPERATORS[word] : undefined;
  if (hint === undefined) return undefined;
  return { at: { start, end: start + word.length }, message: `${word} has no meaning here`, hint };
}

export function typeWord(type: string): string {
  const words: Readonly<Record<string, string>> = {
    string: "text",
    int: "a whole number",
    double: "a number",
    bool: "true or false",
    null: "null",
  };
  return words[type] ?? type;
}

export function trimmed(source: string): { readonly start: number; readonly end: number } {
  return { start: source.length - source.trimStart().length, end: source.trimEnd().length };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
