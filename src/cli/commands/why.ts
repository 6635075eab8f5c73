import type { Command } from "@commander-js/extra-typings";
import { why } from "../../engine/why.ts";
import type { CommandContext } from "../command_module.ts";
import { isUnderWay, openRuns, stateOf } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<run>", "a run's id, the beginning of one, or last")
    .argument("<step>", "a step of that run")
    .action((name, step, _flags, self) => {
      using runs = openRuns(self.optsWithGlobals() as GlobalFlags, context);
      const run = runs.store.resolveRun(name);
      const state = stateOf(runs, run);
      const words = why(state, step, { underWay: isUnderWay(runs, state) });
      context.stdout(
        runs.settings.json ? JSON.stringify({ run, step, why: words }) + "\n" : words + "\n",
      );
    });
}
