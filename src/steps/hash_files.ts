import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { GridError, toGridError } from "../core/errors.ts";
import { findFiles } from "./project_files.ts";

/**
 * One SHA-256 over the names and contents of the files that match, for `hashFiles()` in expressions.
 * Patterns are globs, absolute or relative to `project`; no match gives the empty text, as on GitHub.
 *
 * @throws {GridError} `step-failed` for what is no glob, and for a file that cannot be read
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

/** In pieces: a list of tasks may be larger than memory. @throws {GridError} `step-failed`, naming the file */
export function addContent(hash: Hash, path: string): void {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const piece = new Uint8Array(1 << 18);
    for (let read = 1; read > 0;) {
      read = readSync(file, piece);
      hash.update(piece.subarray(0, read));
    }
  } catch (error) {
    throw new GridError({
      code: "step-failed",
      message: `Cannot read "${path}", which the step depends on: ${toGridError(error).message}`,
      hint: "make it readable, or name narrower globs",
      cause: error,
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
