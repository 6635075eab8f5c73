import { systemClock } from "../../core/clock.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { positiveInteger } from "../option_values.ts";
import { openRuns } from "../past_runs.ts";
import { folderBytes } from "../run_folders.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .option("-n, --limit <n>", "how many", { read: positiveInteger, initial: 20 })
    .action<GlobalFlags & { readonly limit: number }>(async (flags) => {
      using runs = openRuns(flags, context);
      const rows = runs.store.runs({ limit: flags.limit }).map((row) => ({
        ...row,
        // A runner that was killed could not write down how the run ended.
        result: row.result === "running" && !runs.store.isAlive(row.run) ? "stopped" : row.result,
        bytes: folderBytes(runs.folder(row.run)),
      }));
      if (runs.settings.json) {
        return context.stdout(JSON.stringify({ runs: rows }, null, 2) + "\n");
      }
      const { renderRuns } = await import("../../terminal/tables/runs_table.ts");
      context.stdout(renderRuns(rows, {
        color: runs.settings.color.stdout,
        width: context.columns("stdout"),
        now: systemClock.now(),
      }));
    });
}
