/** After each run: what is too old goes, and is named. `GRID_RETENTION=off` keeps everything. */
import { join } from "node:path";
import { parseDuration } from "../core/duration.ts";
import { GridError } from "../core/errors.ts";
import { formatSize } from "../core/size.ts";
import type { Grid } from "../grid.ts";
import type { CliContext } from "./context.ts";
import { findOldRuns, removeRuns, RETENTION } from "./run_folders.ts";

/** @throws {GridError} `usage` for a GRID_RETENTION that is neither `off` nor a duration */
export function retentionMs(env: Readonly<Record<string, string>>): number | undefined {
  const said = env["GRID_RETENTION"];
  if (said === undefined || said === "") return RETENTION.olderMs;
  if (said === "off") return undefined;
  const ms = parseDuration(said);
  if (ms !== undefined && ms > 0) return ms;
  throw new GridError({
    code: "usage",
    message: `Cannot keep runs for "${said}": GRID_RETENTION is no duration`,
    hint: "write, for example, GRID_RETENTION=90d, or GRID_RETENTION=off",
  });
}

/** Removes folders of runs that are over the limits; says so on stderr. */
export function applyRetention(grid: Grid, context: CliContext): void {
  const olderMs = retentionMs(context.env);
  if (olderMs === undefined) return;
  const folder = join(grid.project, ".grid", "runs");
  const old = findOldRuns(folder, {
    keep: RETENTION.keep,
    olderMs,
    now: grid.clock.now(),
    isAlive: (run) => grid.store.isAlive(run),
  });
  if (old.length === 0) return;
  const { runs, bytes } = removeRuns(folder, old);
  context.stderr(
    `removed reports and logs of ${runs.length} old ${runs.length === 1 ? "run" : "runs"} ` +
      `(${formatSize(bytes)}): ${runs[0]} … ${runs.at(-1)}; GRID_RETENTION=off keeps them\n`,
  );
}
