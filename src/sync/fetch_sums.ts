/** What `sha256sum` printed on a node, name by name. */
import { Buffer } from "node:buffer";
import type { RelativePath } from "../core/relative_path.ts";

/**
 * SHA-256 in hex by path. The tool goes through the names in order and leaves out what it cannot read;
 * GNU's writes a backslash before a line whose name it has written in another way.
 */
export function readSums(
  text: string,
  paths: readonly RelativePath[],
  /** What the node was told before each path. */
  prefix = "./",
): ReadonlyMap<RelativePath, string> {
  const sums = new Map<RelativePath, string>();
  const lines = text.split("\n");
  let at = 0;
  for (const path of paths) {
    const [, mark, sum, name] = /^(\\?)([0-9a-f]{64}) [ *](.*)$/s.exec(lines[at] ?? "") ?? [];
    if (sum === undefined || name === undefined) continue;
    const due = path === "-" ? "./-" : `${prefix}${path}`;
    if (name !== (mark === "" ? due : escaped(due))) continue;
    sums.set(path, sum);
    at++;
  }
  return sums;
}

/** What the tool prints for them at the most: a name can double where it is escaped. */
export function mostSumBytes(paths: readonly RelativePath[]): number {
  const lineBytes = "\\".length + 64 + 2 + "./".length + 1;
  return paths.reduce((sum, path) => sum + lineBytes + 2 * Buffer.byteLength(path), 0);
}

function escaped(name: string): string {
  return name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}
