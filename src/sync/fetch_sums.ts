/** What `sha256sum` printed on a node, name by name. */
import type { RelativePath } from "../core/relative_path.ts";

/**
 * SHA-256 in hex by path. The tool goes through the names in order and leaves out what it cannot read;
 * GNU's writes a backslash before a line whose name it has written in another way.
 */
export function readSums(
  text: string,
  paths: readonly RelativePath[],
): ReadonlyMap<RelativePath, string> {
  const sums = new Map<RelativePath, string>();
  const lines = text.split("\n");
  let at = 0;
  for (const path of paths) {
    const [, mark, sum, name] = /^(\\?)([0-9a-f]{64}) [ *](.*)$/s.exec(lines[at] ?? "") ?? [];
    if (sum === undefined || name === undefined) continue;
    const due = `./${path}`;
    if (name !== (mark === "" ? due : due.replaceAll("\\", "\\\\"))) continue;
    sums.set(path, sum);
    at++;
  }
  return sums;
}
