/**
 * Writes a file of what is kept for later. Two programs may write it at once: each its own, the last rename
 * wins, both are whole.
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { getLogger } from "../core/log.ts";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../core/private_modes.ts";

/** Nobody writes one for so long. */
const DEAD_MS = 60 * 60 * 1000;
const WORD = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Makes the folder where it is missing. What is kept saves time and nothing else: where the file cannot be
 * written nothing of it is left, the diary says so, and work goes on.
 *
 * @returns whether it is written
 * @throws what a piece throws
 */
export function writeCacheFile(file: string, pieces: Iterable<string | Uint8Array>): boolean {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: PRIVATE_FOLDER });
    writeBeside(file, pieces);
    clearDead(file);
    return true;
  } catch (error) {
    if (!isOfTheSystem(error)) throw error;
    getLogger("sync").warn(`What would save time later is not kept: ${error.message}`);
    return false;
  }
}

function writeBeside(file: string, pieces: Iterable<string | Uint8Array>): void {
  const temporary = `${file}.${crypto.randomUUID()}`;
  const output = openSync(temporary, "wx", PRIVATE_FILE);
  try {
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

/** What programs left that were ended in the middle of writing. */
function clearDead(file: string): void {
  const start = `${basename(file)}.`;
  for (const name of readdirSync(dirname(file))) {
    if (!name.startsWith(start) || !WORD.test(name.slice(start.length))) continue;
    const left = join(dirname(file), name);
    const at = statSync(left, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (systemClock.now() - at > DEAD_MS) rmSync(left, { force: true });
  }
}

function isOfTheSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}
