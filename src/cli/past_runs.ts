/** Runs that are over, or that another process is running: the store and their folders. */
import { join } from "node:path";
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
