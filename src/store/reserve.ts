/** Room that is kept back, so that a run on a full disk can still say how it ended. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
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
    if (existsSync(this.#path)) return;
    try {
      // Not zeros: some file systems keep no room for those.
      writeFileSync(this.#path, randomBytes(BYTES), { flag: "wx", mode: PRIVATE_FILE });
    } catch {
      this.release();
    }
  }

  /** Gives the room to whoever needs it now; false where there is none. */
  release(): boolean {
    const isThere = existsSync(this.#path);
    rmSync(this.#path, { force: true });
    return isThere;
  }
}
