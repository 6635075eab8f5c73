/** `grid serve --schedule`: the scheduler over this project's files, store and runners. */
import { resolve } from "node:path";
import type { Grid } from "../grid.ts";
import { loadSchedules } from "../pipeline/load_schedules.ts";
import { keepLeftOutput, startRunner } from "./runner_elsewhere.ts";
import { markedFiles } from "./schedule_files.ts";
import { Scheduler } from "./scheduler.ts";
import type { Settings } from "./settings.ts";

export interface ServeScheduleOptions {
  readonly grid: Grid;
  readonly settings: Settings;
  /** Absolute. */
  readonly paths: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export function schedulerOf(
  { grid, settings, paths, env, signal }: ServeScheduleOptions,
): Scheduler {
  const { store, clock, project } = grid;
  keepLeftOutput(project, store);
  const config = settings.configFile === undefined ? [] : ["--config", settings.configFile];
  return new Scheduler({
    store,
    clock,
    files: () => markedFiles(paths, project),
    load: (file) => loadSchedules({ file: resolve(project, file), project }),
    start: ({ file, inputs, run }) => {
      const given = Object.entries(inputs).flatMap(([name, value]) => ["-i", `${name}=${value}`]);
      const args = ["run", ...config, ...given, file.startsWith("-") ? `./${file}` : file];
      return startRunner(args, { project, store, cwd: project, env, signal, run });
    },
    signal,
  });
}
