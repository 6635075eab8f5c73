/** Room that is kept back, so that a run on a full disk can still say how it ended. */
import { join } from "node:path";
import { exists } from "../core/exists.ts";
import { PRIVATE_FILE } from "../core/private_modes.ts";

/** The last events and reports of a run of some hundred steps. */
const BYTES = 512 * 1024;

export class Reserve {
  readonly #path: string;

  /** @param folder the project's `.grid`, whose runs share the reserve */
  constructor(folder: string) {
    this.#path = join(folder, "reserve");
  }

  /** Keeps room back where there is any; what cannot be kept back is no failure yet. */
  fill(): void {
    if (exists(this.#path)) return;
    try {
      // Not zeros: some file systems keep no room for those.
      Deno.writeFileSync(this.#path, randomBytes(), { createNew: true, mode: PRIVATE_FILE });
    } catch {
      this.release();
    }
  }

  /** Gives the room to whoever needs it now; false where there is none. */
  release(): boolean {
    if (!exists(this.#path)) return false;
    try {
      Deno.removeSync(this.#path);
      return true;
    } catch (error) {
      // Another run of the project may have been sooner.
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }
}

function randomBytes(): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  // So many are given at once.
  for (let at = 0; at < BYTES; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}
