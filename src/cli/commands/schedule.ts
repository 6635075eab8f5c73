import { accountName } from "../../core/account.ts";
import { resolve } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { GridError, toGridError } from "../../core/errors.ts";
import { oneLine } from "../../terminal/harmless.ts";
import { loadSchedules } from "../../pipeline/load_schedules.ts";
import { CronTimes } from "../../schedule/cron.ts";
import { zonedTime } from "../../schedule/zoned_time.ts";
import type { ScheduleRow } from "../../store/schedules.ts";
import { renderSchedules } from "../../terminal/tables/schedule_table.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { positiveInteger } from "../option_values.ts";
import { openRuns, type PastRuns } from "../past_runs.ts";
import { scheduleFiles, schedulePaths } from "../schedule_files.ts";
import { type ShownSchedule, shownSchedule } from "../schedule_rows.ts";
import type { GlobalFlags } from "../settings.ts";

interface ScheduleFlags extends GlobalFlags {
  readonly next: number;
  readonly last: number;
  readonly pause?: true;
  readonly unpause?: true;
}

/** Further ones are what `--next` is for; each is a millisecond's work. */
const MOST_NEXT = 1000;

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[paths...]", "pipeline files, or folders of them; default pipelines/")
    .option("-n, --next <n>", "how many of the next times", { read: positiveInteger, initial: 1 })
    .option("--last <n>", "how many of the last times", { read: positiveInteger, initial: 1 })
    .option("--pause", "start none of their runs until --unpause says so")
    .option("--unpause", "start their runs again; times that came meanwhile are not made up for")
    .close("Runs are started by grid serve --schedule; by cron or systemd: grid ci init cron")
    .action<ScheduleFlags>(async (paths, flags) => {
      if (flags.pause && flags.unpause) throw bothWays();
      using runs = openRuns(flags, context);
      const rows = await readRows(runs, { paths, flags, context });
      if (runs.settings.json) {
        return context.stdout(
          JSON.stringify({ schedules: rows.map(scheduleDocument) }, null, 2) + "\n",
        );
      }
      context.stdout(renderSchedules(rows, {
        color: runs.settings.color.stdout,
        width: context.columns("stdout"),
      }));
    });
}

interface ShownRow extends ShownSchedule {
  /** Milliseconds since the Unix epoch. */
  readonly nextTimes: readonly number[];
  /** Behind the first, by the clocks of its zone. */
  readonly later: readonly string[];
}

interface ReadOptions {
  readonly paths: readonly string[];
  readonly flags: ScheduleFlags;
  readonly context: CommandContext;
}

/** What cannot be read is told, and the others are shown. */
async function readRows(
  { settings: { project }, store }: PastRuns,
  { paths, flags, context }: ReadOptions,
): Promise<ShownRow[]> {
  const now = systemClock.now();
  const files = scheduleFiles(schedulePaths(paths, { project, cwd: context.cwd }), project);
  const rows: ShownRow[] = [];
  for (const file of files) {
    try {
      const { pipeline, schedules } = await loadSchedules({
        file: resolve(project, file),
        project,
      });
      for (const { name, cron, zone, isEnabled } of schedules) {
        const key = { file, name };
        if (flags.pause && !store.schedules.pause(key, accountName())) throw unknown("pause", file);
        if (flags.unpause && !store.schedules.unpause(key, now)) throw unknown("unpause", file);
        const known = store.schedules.all().find((row) => row.file === file && row.name === name);
        const times = new CronTimes(cron, zone);
        const nextTimes: number[] = [];
        for (
          let at: number | undefined = now;
          nextTimes.length < Math.min(flags.next, MOST_NEXT);
        ) {
          at = times.next(at);
          if (at === undefined) break;
          nextTimes.push(at);
        }
        const row = { ...known ?? UNKNOWN, file, name, pipeline, cron, zone, isEnabled };
        const shown = shownSchedule(row, { store, now, most: flags.last });
        const [next, ...later] = nextTimes.map((at) => zonedTime(at, zone));
        rows.push({ ...shown, next, later, nextTimes });
      }
    } catch (thrown) {
      if (flags.pause || flags.unpause) throw thrown;
      context.stderr(
        `warning: ${oneLine(toGridError(thrown).message)}; see: grid validate ${file}\n`,
      );
      context.setExitCode(2);
    }
  }
  return rows;
}

/** Of a schedule that nobody has looked after yet. */
const UNKNOWN: Omit<ScheduleRow, "file" | "name" | "pipeline" | "cron" | "zone" | "isEnabled"> = {
  paused: undefined,
  nextAt: undefined,
  started: 0,
  missed: 0,
  skipped: 0,
  failed: 0,
  isServed: false,
  pid: 0,
  slots: [],
};

function unknown(action: "pause" | "unpause", file: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot ${action} the schedule of ${file}: nobody has looked after it yet`,
    hint: action === "pause"
      ? "start grid serve --schedule first, or write enabled: false in the file"
      : "so it is not paused: grid serve --schedule starts its runs",
  });
}

function bothWays(): GridError {
  return new GridError({
    code: "usage",
    message: "Cannot pause and unpause a schedule at once",
    hint: "say --pause or --unpause",
  });
}

function scheduleDocument(row: ShownRow): Record<string, unknown> {
  const { pipeline, file, name, cron, zone, isEnabled, paused, isLeft, pid } = row;
  const { started, missed, skipped, failed } = row;
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    pipeline,
    file,
    name,
    cron,
    timeZone: zone,
    enabled: isEnabled,
    pausedBy: paused ?? null,
    servedBy: isLeft ? null : pid,
    next: row.nextTimes.map(iso),
    started,
    missed,
    skipped,
    failed,
    last: row.shown.map(({ at, state, result, run, said }) => ({
      at: iso(at),
      state,
      result,
      run: run ?? null,
      said: said ?? null,
    })),
  };
}
