/** `{a,b}` of a pattern, which `case` in a shell does not know, as several patterns. */

/** More than anybody writes; what is beyond stays as it is. */
const MOST = 64;

export function expandBraces(pattern: string): string[] {
  let open = [pattern];
  for (let round = 0; round < 8; round++) {
    const next = [...new Set(open.flatMap(expandFirst))];
    if (next.length > MOST || next.every((text, at) => text === open[at])) return open;
    open = next;
  }
  return open;
}

/** The innermost pair that closes first. */
function expandFirst(pattern: string): string[] {
  const found = /\{([^{}]*,[^{}]*)\}/.exec(pattern);
  if (found === null) return [pattern];
  const [all, inside = ""] = found;
  const after = pattern.slice(found.index + all.length);
  return inside.split(",").map((part) => pattern.slice(0, found.index) + part + after);
}
