/** Little is left for closing the store where most of a run's journal was put away before. */
import type { Event } from "../engine/event.ts";
import type { RunReader } from "../engine/reader.ts";

export interface Settled {
  /** Moves what was written into the store's file, where that is much and nobody else is using it. */
  settle(): void;
}

/** Steps that are still to end when most is put away, and when the rest is. */
const LEFT = [8, 1];

/** Lets the store put a run's journal away while its last jobs run, and not when everybody waits for the end. */
export function settleNearEnd(store: Settled): RunReader {
  const left = new Set<string>();
  return {
    event(event: Event) {
      if (event.type === "run.started") {
        for (const { id, kind, hook } of event.steps) {
          if (kind !== "group" && hook === undefined) left.add(id);
        }
      }
      if (event.type !== "step.finished" || !left.delete(event.step)) return;
      if (LEFT.includes(left.size)) store.settle();
    },
  };
}
