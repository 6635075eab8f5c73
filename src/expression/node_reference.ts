import type { TextPart } from "./text.ts";
import { parseExpression } from "./expression.ts";

/** Names behind `node.`; `all` where only the evaluation tells which. */
export type NodeReads = readonly string[] | "all";

/** What one expression reads; undefined where it does not speak of the node. */
export function partReads(part: TextPart): NodeReads | undefined {
  // Most expressions are not even parsed for it.
  if (part.kind === "literal" || !/\bnode\b/.test(part.source)) return undefined;
  const references = parseExpression(part.source).references
    .filter(({ root }) => root.name === "node");
  if (references.length === 0) return undefined;
  const names = references.map(({ path }) => path[0]?.name);
  return names.every((name) => name !== undefined) ? names : "all";
}
