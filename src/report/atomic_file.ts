import { rename, rm, writeFile } from "node:fs/promises";
import { randomWord } from "../core/ids.ts";
import { PRIVATE_FILE } from "../core/private_modes.ts";

/** Readers see the old file or the new one whole, never a part. */
export async function writeAtomic(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomWord(8)}.tmp`;
  try {
    await writeFile(draft, text, { mode: PRIVATE_FILE, flag: "wx" });
    await rename(draft, path);
  } catch (error) {
    // Where the folder itself is gone, so is the draft.
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}
