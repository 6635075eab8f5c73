import { renameSync, rmSync, writeFileSync } from "node:fs";
import { randomWord } from "../core/ids.ts";
import { PRIVATE_FILE } from "../core/private_modes.ts";

/**
 * Readers see the old file or the new one whole, never a part. Synchronous: into the system's cache a
 * report is written sooner than another thread has got it.
 */
export function writeAtomic(path: string, text: string | Uint8Array): void {
  const draft = `${path}.${randomWord(8)}.tmp`;
  try {
    writeFileSync(draft, text, { mode: PRIVATE_FILE, flag: "wx" });
    renameSync(draft, path);
  } catch (error) {
    try {
      rmSync(draft, { force: true });
    } catch {
      // Where the folder itself is gone, so is the draft.
    }
    throw error;
  }
}
