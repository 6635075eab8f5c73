/** Times that a node's clock told, as this machine's would have: one screen shows both. Pure. */
import type { Event } from "../../engine/event.ts";

/** Less may be the link's doing. */
const LEAST_MS = 2000;

/**
 * How far the node's clock is ahead, in milliseconds: whole seconds, so that each look finds the same;
 * 0 where they agree.
 */
export function aheadMs(there: number, here: number): number {
  const ahead = Math.round((there - here) / 1000) * 1000;
  return Math.abs(ahead) < LEAST_MS ? 0 : ahead;
}

/** @param ahead milliseconds */
export function homeTimed(event: Event, ahead: number): Event {
  if (ahead === 0) return event;
  const home = (at: number) => Math.max(0, at - ahead);
  if (event.type !== "step.started" || event.takenOver === undefined) {
    return { ...event, at: home(event.at) };
  }
  const { takenOver } = event;
  return {
    ...event,
    at: home(event.at),
    takenOver: { ...takenOver, since: home(takenOver.since) },
  };
}
