import { own } from "../core/own.ts";
import type { ASTNode } from "./cel_library.ts";
import type { Problem, Span } from "./expression_parts.ts";

/** What CEL says of types that do not go together, and where. */
export interface TypeFault {
  readonly summary: string;
  readonly at: Span;
  readonly source: string;
  readonly node: ASTNode | undefined;
}

export function wrongType(rest: Omit<Problem, "rule">): Problem {
  const { at: { start, end } } = rest;
  return { rule: "wrong-type", ...rest, at: { start, end } };
}

export function whole(node: ASTNode | undefined): Span | undefined {
  return node && { start: node.start, end: node.end };
}

/** A type of CEL in plain words. */
export function typeWord(type: string): string {
  const words: Readonly<Record<string, string>> = {
    string: "text",
    int: "a whole number",
    double: "a number",
    bool: "true or false",
    null: "null",
  };
  if (type.startsWith("list")) return "a list";
  if (type.startsWith("map")) return "a map";
  return own(words, type) ?? type;
}
