/** Little is left for the end where most of a journal was put away, and most ended jobs removed, before. */
import type { Event } from "../engine/event.ts";
import type { RunReader } from "../engine/reader.ts";

export interface Settled {
  /** Does now what would otherwise be left for the end, where that is much and in nobody's way. */
  settle(): void;
}

/** Steps that are still to end when most is put away, and when the rest is. */
const LEFT = [8, 1];

/** Lets these tidy up while a run's last jobs run, and not when everybody waits for the end. */
export function settleNearEnd(untidy: readonly Settled[]): RunReader {
  const left = new Set<string>();
  return {
    event(event: Event) {
      if (event.type === "run.started") {
        for (const { id, kind, hook } of event.steps) {
          if (kind !== "group" && hook === undefined) left.add(id);
        }
      }
      if (event.type !== "step.finished" || !left.delete(event.step)) return;
      if (LEFT.includes(left.size)) untidy.forEach((one) => one.settle());
    },
  };
}
