/** Runs that are over, or that another process is running: the store and their folders. */
import { join } from "node:path";
import { GridError } from "../core/errors.ts";
import { replay, type RunState } from "../engine/state.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import type { CliContext } from "./context.ts";
import { type GlobalFlags, readSettings, type Settings } from "./settings.ts";

export interface PastRuns extends Disposable {
  readonly settings: Settings;
  readonly store: Store;
  /** Absolute folder of a run named by its full id. */
  folder(run: string): string;
}

export function openRuns(flags: GlobalFlags, context: CliContext): PastRuns {
  const settings = readSettings(flags, context);
  const store = openStore(join(settings.project, ".grid", "grid.db"));
  return {
    settings,
    store,
    folder: (run) => join(settings.project, ".grid", "runs", run),
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}

/** The state of a run, folded from its journal. */
export function stateOf(runs: PastRuns, run: string): RunState {
  const state = replay(runs.store.events(run));
  if (state) return state;
  throw new GridError({ code: "usage", message: `Cannot show run "${run}": its journal is empty` });
}
