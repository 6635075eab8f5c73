/** Last lines of what failed, each read once. */
import { join } from "node:path";
import type { RunState } from "../engine/reduce.ts";
import { logNames } from "../report/log_names.ts";
import { lastLines } from "../report/tail.ts";

const TAIL_LINES = 30;
/** Logs that are read to tell which failures are alike. */
const MOST_READ = 200;
const MOST_KEPT = 2000;

export class Tails {
  readonly #kept = new Map<string, readonly string[]>();

  /** @param folder absolute, of the run */
  async of({ run, steps }: RunState, folder: string): Promise<(step: string) => readonly string[]> {
    const failed = [...steps.values()].filter(({ status, failure, attempts }) =>
      failure !== undefined && attempts.length > 0 &&
      (status === "failed" || status === "timed-out")
    );
    const nameOf = logNames(steps.keys());
    for (const { id, attempts } of failed.slice(0, MOST_READ)) {
      const key = keyOf(run, id);
      if (this.#kept.has(key)) continue;
      this.#kept.set(
        key,
        await lastLines(join(folder, "logs", nameOf(id, attempts.length)), TAIL_LINES),
      );
    }
    for (const key of [...this.#kept.keys()].slice(0, Math.max(0, this.#kept.size - MOST_KEPT))) {
      this.#kept.delete(key);
    }
    return (step) => this.#kept.get(keyOf(run, step)) ?? [];
  }
}

function keyOf(run: string, step: string): string {
  return `${run}\n${step}`;
}
