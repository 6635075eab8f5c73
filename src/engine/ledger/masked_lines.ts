import { MASK } from "../../core/secret.ts";

const STAR = MASK.charCodeAt(0);
const NEWLINE = 10;

/** Counts the lines of a stream in which a mask stands, wherever its chunks end. */
export class MaskedLines {
  count = 0;
  /** Asterisks at the end of what came so far. */
  #stars = 0;
  #isCounted = false;

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#isCounted) {
        const end = bytes.indexOf(NEWLINE, at);
        if (end < 0) return;
        this.#isCounted = false;
        this.#stars = 0;
        at = end + 1;
        continue;
      }
      const star = bytes.indexOf(STAR, at);
      if (star !== at) this.#stars = 0;
      if (star < 0) return;
      at = star + 1;
      if (++this.#stars < MASK.length) continue;
      this.count++;
      this.#isCounted = true;
    }
  }
}
