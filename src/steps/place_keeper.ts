/** Gives back what steps were placed on, so that nodes count as busy for as long as the work lasts. */
import type { Cluster } from "../cluster/cluster.ts";
import type { RunReader } from "../engine/reader.ts";
import { placeHolder } from "./placement.ts";

/**
 * An attempt's place is given back when it is over; that of a `select-node` step, which stands for the
 * steps that use its node, with the run.
 */
export function createPlaceKeeper(cluster: Pick<Cluster, "release" | "releaseAll">): RunReader {
  let run: string | undefined;
  const choosing = new Set<string>();
  return {
    event(event) {
      if (event.type === "run.started") {
        run = event.run;
        for (const { id, kind } of event.steps) if (kind === "select-node") choosing.add(id);
      }
      if (event.type !== "attempt.finished" || run === undefined || choosing.has(event.step)) {
        return;
      }
      cluster.release(placeHolder({ run, step: event.step, attempt: event.attempt }));
    },
    close() {
      if (run !== undefined) cluster.releaseAll(run);
    },
  };
}
