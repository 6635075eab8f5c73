import { randomWord } from "../core/ids.ts";
import { PRIVATE_FILE } from "../core/private_modes.ts";

/**
 * Readers see the old file or the new one whole, never a part. Synchronous: into the system's cache a
 * report is written sooner than another thread has got it.
 */
export function writeAtomic(path: string, text: string | Uint8Array): void {
  const draft = `${path}.${randomWord(8)}.tmp`;
  try {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    Deno.writeFileSync(draft, bytes, { mode: PRIVATE_FILE, createNew: true });
    Deno.renameSync(draft, path);
  } catch (error) {
    try {
      Deno.removeSync(draft);
    } catch {
      // Nothing was written, or the folder itself is gone.
    }
    throw error;
  }
}
