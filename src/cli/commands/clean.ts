import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { lazy } from "../../core/lazy.ts";
import { formatSize } from "../../core/size.ts";
import type { Tidied } from "../../store/store.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import type { FoundStale } from "../stale_files.ts";
import { durationMs, positiveInteger } from "../option_values.ts";
import { openRuns } from "../past_runs.ts";
import { findOldRuns, folderBytes, type OldRuns, removeRuns, RETENTION } from "../run_folders.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface CleanFlags extends GlobalFlags {
  readonly older?: number;
  readonly keep?: number;
  readonly nodes?: true;
  readonly dryRun?: true;
}

export function define(command: Command, context: CommandContext): void {
  command
    .option("--older <duration>", "only what is older, such as 30d", { read: durationMs })
    .option("--keep <n>", "never the newest n runs", { read: positiveInteger })
    .option("--nodes", "also folders on the nodes that this project has not used for so long")
    .option("--dry-run", "only say what would be removed")
    .close(
      "Removes reports and logs of old runs here; what is older than 30 days goes, but for the\n" +
        "newest 50 runs, unless an option says otherwise. Runs under way stay, and so does what\n" +
        "`grid runs`, `grid show` and `grid metrics` tell. With --nodes what this project's syncs and\n" +
        "steps left in folders on the nodes goes, too, where no run has used the folder for so long,\n" +
        "and files of jobs that ended; folders of others and $GRID_STATE_DIR stay. Data sets go that\n" +
        "no project has used for so long; pinned ones and those in use stay.",
    )
    .action<CleanFlags>(async (flags) => {
      context.setExitCode(await clean(flags, context));
    });
}

interface Cleaned {
  readonly old: OldRuns;
  /** Undefined where it was not touched. */
  readonly store: Tidied | undefined;
  /** Undefined where nobody asked for it. */
  readonly left: FoundStale | undefined;
}

async function clean(flags: CleanFlags, context: CommandContext): Promise<number> {
  const left = flags.nodes ? await cleanLeftovers(flags, context) : undefined;
  const cleaned = { ...cleanHere(flags, context), left };
  const restarts = await cleanRestarts(flags, context);
  if (flags.json) context.stdout(JSON.stringify(cleanDocument(cleaned, flags)) + "\n");
  else {
    const did = flags.dryRun ? "would remove" : "removed";
    context.stderr(await cleanWords(cleaned, did));
    for (const run of restarts) context.stderr(`${did} what would go on with run ${run}\n`);
  }
  return left !== undefined && left.failed.length > 0 ? 3 : 0;
}

/** What `grid submit --restart` wrote for runs of this project that are over, and nobody removed. */
async function cleanRestarts(flags: CleanFlags, context: CommandContext): Promise<string[]> {
  const { removeRestart, restartingRuns } = await lazy<typeof import("../restart.ts")>(
    "../restart.ts",
    import.meta.url,
  );
  using past = openRuns(flags, context);
  const runs = (await restartingRuns(context.env)).filter((run) =>
    past.store.row(run) !== undefined &&
    past.store.row(past.store.latestOf(run))?.finishedAt !== undefined
  );
  if (!flags.dryRun) { for (const run of runs) await removeRestart(run, context.env); }
  return runs;
}

function cleanHere(flags: CleanFlags, context: CommandContext): Omit<Cleaned, "left"> {
  using past = openRuns(flags, context);
  const folder = join(past.settings.project, ".grid", "runs");
  const isSaid = flags.older !== undefined || flags.keep !== undefined;
  const now = systemClock.now();
  const runs = findOldRuns(folder, {
    keep: isSaid ? flags.keep : RETENTION.keep,
    olderMs: isSaid ? flags.older : RETENTION.olderMs,
    now,
    isAlive: (run) => past.store.isAlive(run),
  });
  if (flags.dryRun) return { old: { runs, bytes: sizeOf(runs, folder) }, store: undefined };
  const old = removeRuns(folder, runs);
  return { old, store: past.store.tidy(now - (flags.older ?? RETENTION.olderMs ?? 0)) };
}

async function cleanLeftovers(
  flags: CleanFlags,
  context: CommandContext,
): Promise<FoundStale> {
  await using session = await openSession(flags, context);
  const { cleanNodes } = await lazy<typeof import("../stale_files.ts")>(
    "../stale_files.ts",
    import.meta.url,
  );
  const olderMs = flags.older ?? RETENTION.olderMs ?? 0;
  return await cleanNodes(session, { olderMs, dryRun: flags.dryRun === true });
}

function sizeOf(runs: readonly string[], folder: string): number {
  return runs.reduce((bytes, run) => bytes + folderBytes(join(folder, run)), 0);
}

function cleanDocument({ old, store, left }: Cleaned, { dryRun }: CleanFlags) {
  return {
    removed: old.runs,
    bytes: old.bytes,
    dryRun: !!dryRun,
    ...(store && { store: { bytes: store.bytes, freed: store.freed } }),
    ...(left && {
      nodes: left.nodes,
      failed: left.failed.map(({ node, error }) => ({ node, message: error.message })),
    }),
  };
}

async function cleanWords({ old: { runs, bytes }, store, left }: Cleaned, did: string) {
  const what = runs.length === 1 ? "run" : "runs";
  const here = runs.length === 0
    ? "nothing to remove\n"
    : `${did} reports and logs of ${runs.length} ${what} (${formatSize(bytes)}): ` +
      `${runs[0]}${runs.length > 1 ? ` … ${runs.at(-1)}` : ""}\n`;
  const freed = store && store.freed > 0
    ? `.grid/grid.db is ${formatSize(store.freed)} smaller: ${formatSize(store.bytes)}\n`
    : "";
  if (left === undefined) return here + freed;
  const { staleWords } = await import("../stale_files.ts");
  return here + freed + staleWords(left, did);
}
