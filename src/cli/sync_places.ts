/** Where the project's code lies on nodes, for commands that look at it and do not bring it. */
import { systemClock } from "../core/clock.ts";
import type { Place } from "../sync/place.ts";
import type { SyncTarget } from "../sync/sync.ts";
import type { Session } from "./session.ts";

/** The project's own tree: where another project has the plain name, not that one. */
export async function placeOn(
  target: SyncTarget,
  { as, session }: { readonly as: string; readonly session: Session },
): Promise<Place> {
  const [{ openRunTrees }, { peekAtTree }] = await Promise.all([
    import("../steps/run_trees.ts"),
    import("../sync/tree_choice.ts"),
  ]);
  const { grid, signal } = session;
  const { project, config } = grid;
  const { run } = openRunTrees({ project, run: "look", leaseMs: config.jobs.leaseMs });
  const { place } = await peekAtTree({
    target,
    as,
    run,
    signal,
    now: systemClock.now(),
  });
  return place;
}
