/** Tells of a file that is taken for a result and that nothing in this run wrote: it is of an earlier one. */
import { formatDuration } from "../core/duration.ts";
import { systemClock } from "../core/clock.ts";
import type { StepHost } from "../engine/ports.ts";
import type { RunTrees } from "./run_trees.ts";

/** Two clocks that are read one after the other, and file systems that keep whole seconds. */
const SLACK_MS = 2000;

export interface Freshness {
  /**
   * @param file.what `output "loss"`
   * @param file.ageMs since it was written, by the clock of its node
   */
  check(file: { readonly what: string; readonly path: string; readonly ageMs: number }): void;
}

/** Nothing where it cannot be told: a run that goes on from another uses what that one made. */
export function freshnessOf(
  trees: Pick<RunTrees, "run" | "files"> | undefined,
  host: Pick<StepHost, "note">,
): Freshness | undefined {
  if (trees === undefined || trees.run.forerunners.length > 0) return undefined;
  return {
    check({ what, path, ageMs }) {
      const runMs = systemClock.now() - trees.run.owner.at;
      if (ageMs <= runMs + SLACK_MS || trees.files.mayHaveBrought(path)) return;
      const message = `${what} is of an earlier time: "${path}" was written ${
        formatDuration(ageMs - runMs)
      } before this run began, and nothing in it wrote it anew`;
      host.note({ type: "warned", message });
    },
  };
}
