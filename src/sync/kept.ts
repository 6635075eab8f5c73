/** How long a node keeps what a sync moved aside. */
import { quote } from "../core/shell.ts";
import type { Place } from "./place.ts";
import type { SyncTarget } from "./sync.ts";

/** Older than this it goes when a later sync moves something aside. */
export const KEEP_DAYS = 30;

interface Pruned {
  readonly target: SyncTarget;
  readonly place: Place;
  readonly tell?: ((message: string) => void) | undefined;
}

/** @param line `finished` and how many syncs' files went */
export function tellPruned(line: string, { target, place, tell }: Pruned): void {
  const count = Number(line.split(" ")[1] ?? 0);
  if (!(count > 0)) return;
  const what = count === 1 ? "what a sync" : `what ${count} syncs`;
  tell?.(
    `Removed on ${target.node}: ${what} of ${
      quote(place.name)
    } had moved aside more than ${KEEP_DAYS} days ago`,
  );
}
