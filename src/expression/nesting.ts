/** How deep an expression may be: what reads and evaluates it takes a frame of the stack for each level. */
import type { ASTNode } from "./cel_library.ts";

/** `1 + 1 + …` is as deep as it is long. A stack of 1 MB, Node's and Deno's default, has room for 3000. */
const DEEPEST = 500;

/** In the shape of CEL's own errors. */
export class TooDeep extends Error {
  override readonly name = "TooDeep";
  readonly hint = "a list, [a, b, …], is not deep; work through long ones in a script";

  constructor(most: number, readonly summary = `it goes more than ${most} levels deep`) {
    super(summary);
  }
}

/** @throws {TooDeep} */
export function checkNesting(root: ASTNode): void {
  let level: readonly ASTNode[] = [root];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > DEEPEST) throw new TooDeep(DEEPEST);
    level = level.flatMap((node) => [...nodesIn(node.args)]);
  }
}

/** The nodes right below, in whatever lists they stand. */
export function* nodesIn(args: unknown): Generator<ASTNode> {
  if (Array.isArray(args)) { for (const inner of args) yield* nodesIn(inner); }
  else if (typeof args === "object" && args !== null && "op" in args) yield args as ASTNode;
}
