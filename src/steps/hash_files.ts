import { resolve } from "node:path";
import { nodeCrypto } from "../core/node_builtins.ts";
import { FileSums } from "./file_sums.ts";
import { findFiles } from "./project_files.ts";

export interface HashFilesOptions {
  /** Absolute; globs that are relative start here. */
  readonly project: string;
  /** What was read before need not be read again; default: everything is. */
  readonly sums?: FileSums;
}

/**
 * One SHA-256 over the names and contents of the files that match, for `hashFiles()` in expressions.
 * Patterns are globs, absolute or relative to the project; no match gives the empty text, as on GitHub.
 *
 * @throws {GridError} `step-failed` for what is no glob, and for a file that cannot be read
 */
export function hashFiles(
  patterns: readonly string[],
  { project, sums = new FileSums() }: HashFilesOptions,
): string {
  const files = findFiles(patterns, project).map((name) => ({
    name,
    path: resolve(project, name),
  }));
  if (files.length === 0) return "";
  sums.announce(files.map(({ path }) => path));
  const hash = nodeCrypto().createHash("sha256");
  for (const { name, path } of files) hash.update(`${name}\0${sums.of(path)}\0`);
  return hash.digest("hex");
}
