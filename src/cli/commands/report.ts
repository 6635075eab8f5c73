import type { Command } from "../command_line/command.ts";
import { bringNews } from "../submitted/news.ts";
import type { CommandContext } from "../command_module.ts";
import { completeReport, openRuns, readReport, stateOf } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[run]", "a run: id, the beginning of one, a pipeline's name, or last", "last")
    .close("Prints the folder; with --json the report itself.")
    .action<GlobalFlags>(async (name, flags) => {
      using runs = openRuns(flags, context);
      await bringNews(runs, context);
      const run = runs.store.resolveRun(name);
      if (runs.settings.json) return context.stdout(await readReport(runs, run));
      await completeReport(runs, stateOf(runs, run));
      context.stdout(runs.folder(run) + "\n");
    });
}
