/**
 * Writes a file of what is kept for later. Two programs may write it at once: each its own, the last rename
 * wins, both are whole.
 */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../core/private_modes.ts";

/** Makes the folder where it is missing. Nothing is left where a piece, or the disk, fails. */
export function writeCacheFile(file: string, pieces: Iterable<string | Uint8Array>): void {
  const temporary = `${file}.${crypto.randomUUID()}`;
  mkdirSync(dirname(file), { recursive: true, mode: PRIVATE_FOLDER });
  try {
    const output = openSync(temporary, "wx", PRIVATE_FILE);
    try {
      for (const piece of pieces) writeFileSync(output, piece);
    } finally {
      closeSync(output);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
