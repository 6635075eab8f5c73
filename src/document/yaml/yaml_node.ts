/** What Grid wants to know of a node that the YAML parser made. */
import type { Node, Scalar } from "./yaml.ts";
import { isScalar } from "./yaml.ts";

/** Offsets of the first character and of the one after the last. */
export type Range = readonly [start: number, end: number];

export interface ScalarSource {
  /** The text, quotes and escapes resolved, spelling of numbers kept. */
  readonly text: string;
  readonly style: "plain" | "single" | "double" | "block";
  /** Where it is written; for an alias that is at its anchor. */
  readonly range: Range;
}

export function keyOf(node: unknown): { name: string; range: Range; isMerge: boolean } {
  if (!isScalar(node)) return { name: "", range: rangeOf(node as Node | null), isMerge: false };
  const scalar = node as Scalar;
  const name = typeof scalar.value === "symbol" ? "<<" : String(scalar.value ?? "");
  const isMerge = name === "<<" && (scalar.type === undefined || scalar.type === "PLAIN");
  return { name, range: rangeOf(scalar), isMerge };
}

/** A scalar, or nothing at all, as a value with its place. */
interface PlainScalar {
  readonly value: unknown;
  readonly range: Range;
  readonly scalar: ScalarSource | undefined;
  readonly weight: number;
}

export function scalarOf(node: Node | null | undefined): PlainScalar {
  const range = rangeOf(node);
  if (!isScalar(node)) return { value: null, range, scalar: undefined, weight: 1 };
  const text = node.source ?? String(node.value ?? "");
  const value = within(node.value, text);
  return { value, range, scalar: { text, style: styleOf(node), range }, weight: 1 };
}

/**
 * `1e400` is a number like any other to its author, and its spelling is what counts; the largest number
 * there is stands for it, since no schema takes infinity. `.inf` stays what it is.
 */
function within(value: unknown, text: string): unknown {
  if (value !== Infinity && value !== -Infinity || !/\d/.test(text)) return value;
  return value > 0 ? Number.MAX_VALUE : -Number.MAX_VALUE;
}

function styleOf(node: Scalar): ScalarSource["style"] {
  switch (node.type) {
    case "QUOTE_SINGLE":
      return "single";
    case "QUOTE_DOUBLE":
      return "double";
    case "BLOCK_LITERAL":
    case "BLOCK_FOLDED":
      return "block";
    default:
      return "plain";
  }
}

export function rangeOf(node: Node | null | undefined): Range {
  return node?.range ? [node.range[0], node.range[1]] : [0, 0];
}
