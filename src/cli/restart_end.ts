/** The runner's side of `grid submit --restart`. */
import { systemClock } from "../core/clock.ts";
import { lazy } from "../core/lazy.ts";
import type { Store } from "../store/store.ts";
import type { CliContext } from "./context.ts";

/** The run is over: nothing is to go on with it. */
export async function endRestart({ restart, env }: CliContext): Promise<void> {
  if (restart === undefined) return;
  const { removeRestart } = await lazy<typeof import("./restart.ts")>(
    "./restart.ts",
    import.meta.url,
  );
  await removeRestart(restart, env);
}

/** A runner on a machine that was restarted counts as alive until it was silent for a minute. */
const SILENCE_MS = 90_000;
const LOOK_MS = 500;

/** Whether there is anything to go on with: its runner is gone, and it has no end. */
export async function isForRestart(
  run: string,
  { store, context }: { readonly store: Store; readonly context: CliContext },
): Promise<boolean> {
  if (store.row(run)?.finishedAt !== undefined) {
    await endRestart(context);
    return false;
  }
  store.forgetEarlierBoot(run);
  for (let waitedMs = 0; store.isAlive(run); waitedMs += LOOK_MS) {
    if (waitedMs > SILENCE_MS) return false;
    await systemClock.sleep(LOOK_MS);
  }
  return true;
}
