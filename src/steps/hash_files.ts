import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { findFiles } from "./project_files.ts";

/**
 * One SHA-256 over the names and contents of the files that match, for `hashFiles()` in expressions.
 * Patterns are globs, absolute or relative to `project`; no match gives the empty text, as on GitHub.
 *
 * @throws {GridError} `step-failed` for what is no glob
 */
export function hashFiles(patterns: readonly string[], project: string): string {
  const files = findFiles(patterns, project);
  if (files.length === 0) return "";
  const hash = createHash("sha256");
  for (const name of files) {
    const path = resolve(project, name);
    // Lengths keep "a" + "bc" apart from "ab" + "c".
    hash.update(`${name}\0${statSync(path).size}\0`);
    addContent(hash, path);
  }
  return hash.digest("hex");
}

/** In pieces: a list of tasks may be larger than memory. */
function addContent(hash: Hash, path: string): void {
  const file = openSync(path, "r");
  try {
    const piece = new Uint8Array(1 << 18);
    for (let read = 1; read > 0;) {
      read = readSync(file, piece);
      hash.update(piece.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
}
