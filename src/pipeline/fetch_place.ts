/** The one name in braces that `fetch.to` knows. */

/** The name of the node that the files come from; it is known when the step starts. */
export const NODE_HOLE = "{node}";

/** `node` may be a glob where nobody knows yet which it is. */
export function fetchPlace(to: string, node: string): string {
  return to.replaceAll(NODE_HOLE, node);
}
