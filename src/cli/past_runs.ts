/** Runs that are over, or that another process is running: the store and their folders. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { GridError } from "../core/errors.ts";
import { PRIVATE_FOLDER } from "../core/private_modes.ts";
import { replay, type RunState } from "../engine/reduce.ts";
import type { RunDocumentOptions } from "../report/document_writer.ts";
import { logNames } from "../report/log_names.ts";
import { hasGround, openGround } from "../store/ground.ts";
import { openNoStore, openStore } from "../store/open.ts";
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
  // Looking makes nothing: a `.grid` would make this folder the project of all below it.
  const store = hasGround(settings.project)
    ? openStore(openGround(settings.project))
    : openNoStore();
  return {
    settings,
    store,
    folder: (run) => join(settings.project, ".grid", "runs", run),
    [Symbol.dispose]: () => store[Symbol.dispose](),
  };
}

/** Whether some process is at the run now; false for one whose runner was killed. */
export function isUnderWay({ store }: PastRuns, state: RunState): boolean {
  return state.result === "running" && store.isAlive(state.run);
}

/** The text of a run's `report.json`; of a run that is under way, as it stands now. */
export async function readReport(runs: PastRuns, run: string): Promise<string> {
  const path = join(runs.folder(run), "report.json");
  if (!existsSync(path)) await completeReport(runs, stateOf(runs, run));
  if (existsSync(path)) return await Deno.readTextFile(path);
  const [{ renderJson }, { runDocument }] = await Promise.all([
    import("../report/json.ts"),
    import("../report/document_writer.ts"),
  ]);
  const state = stateOf(runs, run);
  return renderJson(runDocument(state, { ...logsOf(runs, state), transports: [] }));
}

/** Writes from the journal what a killed runner could not write any more. */
export async function completeReport(runs: PastRuns, state: RunState): Promise<void> {
  const folder = runs.folder(state.run);
  if (existsSync(join(folder, "report.html")) || isUnderWay(runs, state)) return;
  const { writeReports } = await import("../report/report_files.ts");
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const stoppedAt = runs.store.events(state.run).at(-1)?.at ?? state.startedAt;
  await writeReports(state, { folder, ...logsOf(runs, state), transports: [], stoppedAt });
}

function logsOf(runs: PastRuns, state: RunState): Pick<RunDocumentOptions, "logOf"> {
  const logName = logNames(state.steps.keys());
  return {
    logOf: (step, attempt) => {
      const log = join("logs", logName(step, attempt));
      return existsSync(join(runs.folder(state.run), log)) ? log : null;
    },
  };
}

/** The state of a run, folded from its journal. */
export function stateOf(runs: PastRuns, run: string): RunState {
  const state = replay(runs.store.events(run));
  if (state) return state;
  throw new GridError({ code: "usage", message: `Cannot show run "${run}": its journal is empty` });
}
