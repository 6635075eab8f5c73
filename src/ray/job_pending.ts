/** A job of an existing cluster that does not start: what Ray says of it, and when it is given up. */
import { monotonic } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import type { RayJob } from "./jobs_api.ts";

/** Jobs start within seconds; one that does not is worth a word. */
const TELL_AFTER_MS = 5000;
/** Ray itself gives up after 15 minutes: `RAY_JOB_START_TIMEOUT_SECONDS`. */
const GIVE_UP_MS = 900_000;

/** It never started. */
export class StartTimeout extends GridError {}

export class PendingWords {
  readonly #tell: (text: string) => void;
  readonly #now: () => number;
  readonly #since: number;
  #told = "";

  constructor(tell: (text: string) => void, now: () => number = monotonic) {
    this.#tell = tell;
    this.#now = now;
    this.#since = now();
  }

  /** Called for every look at a job that is pending. @throws {StartTimeout} after 15 minutes */
  look({ message }: Pick<RayJob, "message">): void {
    const waited = this.#now() - this.#since;
    const words = message?.trim().split("\n")[0] || "it says no reason";
    if (waited > GIVE_UP_MS) {
      throw new StartTimeout({
        code: "ray",
        message: `Cannot start the batch: Ray has not started its job for ${GIVE_UP_MS / 60_000} ` +
          `minutes: ${words}`,
        hint: "ray job list and the dashboard show what the cluster is busy with",
      });
    }
    if (waited < TELL_AFTER_MS || words === this.#told) return;
    this.#told = words;
    this.#tell(`grid: Ray has not started the batch yet: ${words}\n`);
  }
}
