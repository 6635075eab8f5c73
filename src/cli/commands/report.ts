import type { Command } from "../command_line/command.ts";
import { join } from "node:path";
import type { CommandContext } from "../command_module.ts";
import { openRuns } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[run]", "a run's id, the beginning of one, or last", "last")
    .close("Prints the folder; with --json the report itself.")
    .action<GlobalFlags>(async (name, flags) => {
      using runs = openRuns(flags, context);
      const folder = runs.folder(runs.store.resolveRun(name));
      context.stdout(
        runs.settings.json ? await Deno.readTextFile(join(folder, "report.json")) : folder + "\n",
      );
    });
}
