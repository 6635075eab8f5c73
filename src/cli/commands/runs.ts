import type { Command } from "@commander-js/extra-typings";
import type { CommandContext } from "../command_module.ts";
import { positiveInteger } from "../option_values.ts";
import { openRuns } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .option("-n, --limit <n>", "how many", positiveInteger, 20)
    .action(async (flags, self) => {
      using runs = openRuns(self.optsWithGlobals() as GlobalFlags, context);
      const rows = runs.store.runs({ limit: flags.limit }).map((row) => ({
        ...row,
        // A runner that was killed could not write down how the run ended.
        result: row.result === "running" && !runs.store.isAlive(row.run) ? "stopped" : row.result,
      }));
      if (runs.settings.json) {
        return context.stdout(JSON.stringify({ runs: rows }, null, 2) + "\n");
      }
      const { renderRuns } = await import("../../terminal/tables/runs_table.ts");
      context.stdout(renderRuns(rows, {
        color: runs.settings.color.stdout,
        width: context.columns(),
        now: Date.now(),
      }));
    });
}
