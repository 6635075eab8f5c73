import { monotonic } from "../../core/clock.ts";

/**
 * How much one answer may bring: much, for a job that prints fast; little over a slow link, where other
 * commands wait for the same shell meanwhile.
 */
const SMALLEST = 64 * 1024;
const LARGEST = 2 * 2 ** 20;
/** Of all that one answer brings. */
const TOTAL = 16 * 2 ** 20;
/** An answer that takes longer was too large; one that takes a quarter of it could have been larger. */
const TOO_LONG_MS = 600;

export class AnswerSize {
  #bytes = SMALLEST;

  /** Bytes per stream, for so many jobs. */
  creditFor(jobs: number): number {
    return Math.max(SMALLEST, Math.min(this.#bytes, Math.floor(TOTAL / (2 * jobs))));
  }

  /** Learns from an answer that was large enough to tell. */
  async watch(answer: Promise<Uint8Array>): Promise<Uint8Array> {
    const start = monotonic();
    const bytes = await answer;
    const tookMs = monotonic() - start;
    if (bytes.length < this.#bytes / 2) return bytes;
    if (tookMs > TOO_LONG_MS) this.#bytes = Math.max(SMALLEST, this.#bytes / 2);
    else if (tookMs < TOO_LONG_MS / 4) this.#bytes = Math.min(LARGEST, this.#bytes * 2);
    return bytes;
  }
}
