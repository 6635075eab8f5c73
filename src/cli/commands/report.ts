import type { Command } from "@commander-js/extra-typings";
import type { CommandContext } from "../command_module.ts";
import { completeReport, openRuns, readReport, stateOf } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[run]", "a run's id, the beginning of one, or last", "last")
    .addHelpText("after", "\nPrints the folder; with --json the report itself.")
    .action(async (name, _flags, self) => {
      using runs = openRuns(self.optsWithGlobals() as GlobalFlags, context);
      const run = runs.store.resolveRun(name);
      if (runs.settings.json) return context.stdout(await readReport(runs, run));
      await completeReport(runs, stateOf(runs, run));
      context.stdout(runs.folder(run) + "\n");
    });
}
