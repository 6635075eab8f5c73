import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * One SHA-256 over the names and contents of the files that match, for `hashFiles()` in expressions.
 * Patterns are globs relative to `project`; no match gives the empty text, as on GitHub.
 */
export function hashFiles(patterns: readonly string[], project: string): string {
  const names = new Set(globSync([...patterns], { cwd: project }));
  const files = [...names].filter((name) => statSync(join(project, name)).isFile()).toSorted();
  if (files.length === 0) return "";
  const hash = createHash("sha256");
  for (const name of files) {
    const content = readFileSync(join(project, name));
    // Lengths keep "a" + "bc" apart from "ab" + "c".
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}
