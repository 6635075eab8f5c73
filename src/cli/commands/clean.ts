import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { formatSize } from "../../core/size.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { durationMs, positiveInteger } from "../option_values.ts";
import { openRuns } from "../past_runs.ts";
import { findOldRuns, folderBytes, type OldRuns, removeRuns, RETENTION } from "../run_folders.ts";
import type { GlobalFlags } from "../settings.ts";

interface CleanFlags extends GlobalFlags {
  readonly older?: number;
  readonly keep?: number;
  readonly dryRun?: true;
}

export function define(command: Command, context: CommandContext): void {
  command
    .option("--older <duration>", "only runs that began longer ago, such as 30d", {
      read: durationMs,
    })
    .option("--keep <n>", "never the newest n", { read: positiveInteger })
    .option("--dry-run", "only say what would be removed")
    .close(
      "Removes reports and logs of old runs here; what is older than 30 days goes, but for the\n" +
        "newest 50 runs, unless an option says otherwise. Runs under way stay, and so does what\n" +
        "`grid runs`, `grid show` and `grid metrics` tell.",
    )
    .action<CleanFlags>((flags) => clean(flags, context));
}

function clean(flags: CleanFlags, context: CommandContext): void {
  using past = openRuns(flags, context);
  const folder = join(past.settings.project, ".grid", "runs");
  const isSaid = flags.older !== undefined || flags.keep !== undefined;
  const runs = findOldRuns(folder, {
    keep: isSaid ? flags.keep : RETENTION.keep,
    olderMs: isSaid ? flags.older : RETENTION.olderMs,
    now: systemClock.now(),
    isAlive: (run) => past.store.isAlive(run),
  });
  const old = flags.dryRun ? { runs, bytes: sizeOf(runs, folder) } : removeRuns(folder, runs);
  if (flags.json) {
    context.stdout(JSON.stringify({ removed: old.runs, bytes: old.bytes, dryRun: !!flags.dryRun }));
    context.stdout("\n");
  } else context.stderr(cleanWords(old, flags.dryRun ? "would remove" : "removed"));
}

function sizeOf(runs: readonly string[], folder: string): number {
  return runs.reduce((bytes, run) => bytes + folderBytes(join(folder, run)), 0);
}

function cleanWords({ runs, bytes }: OldRuns, did: string): string {
  if (runs.length === 0) return "nothing to remove\n";
  const what = runs.length === 1 ? "run" : "runs";
  return `${did} reports and logs of ${runs.length} ${what} (${formatSize(bytes)}): ` +
    `${runs[0]}${runs.length > 1 ? ` … ${runs.at(-1)}` : ""}\n`;
}
