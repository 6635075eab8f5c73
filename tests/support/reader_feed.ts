import type { Event } from "../../src/engine/event.ts";
import type { RunReader } from "../../src/engine/reader.ts";
import { reduce, type RunState } from "../../src/engine/reduce.ts";

/** Shows a reader one event after the other, with the state of the run after each, as Grid does. */
export function feed(reader: Pick<RunReader, "event">): (event: Event) => void {
  let state: RunState | undefined;
  return (event) => reader.event(event, state = reduce(state, event));
}
