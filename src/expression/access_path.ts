import type { ASTNode } from "./cel_library.ts";
import type { Named, Span } from "./expression_parts.ts";

export interface Unrolled {
  readonly root: ASTNode;
  readonly path: readonly Named[];
  /** What stands in brackets and is not constant. */
  readonly indexes: readonly ASTNode[];
  readonly isWhole: boolean;
}

/** Unrolls `a.b["c"]` into a root and a path; the path stops at the first part that is not constant. */
export function unrolled(node: ASTNode): Unrolled {
  const path: Named[] = [];
  const indexes: ASTNode[] = [];
  let rest = node;
  while (rest.op === "." || rest.op === "[]") {
    const [inner, key] = rest.args;
    if (typeof key === "string") {
      path.unshift({ name: key, start: rest.end - key.length, end: rest.end });
    } else if (key.op === "value" && typeof key.args === "string") {
      path.unshift({ name: key.args, ...spanOf(key) });
    } else {
      indexes.push(key);
      path.length = 0;
    }
    rest = inner;
  }
  return { root: rest, path, indexes, isWhole: indexes.length === 0 };
}

export function spanOf({ start, end }: ASTNode): Span {
  return { start, end };
}
