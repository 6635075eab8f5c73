import type { Command } from "../command_line/command.ts";
import { bringNews } from "../submitted/news.ts";
import { why, whyRun } from "../../engine/resume/why.ts";
import type { CommandContext } from "../command_module.ts";
import { isUnderWay, openRuns, stateOf } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<run>", "a run: id, the beginning of one, a pipeline's name, or last")
    .argument("[step]", "a step of that run; default: its first failure, or what it waits for")
    .action<GlobalFlags>(async (name, step, flags) => {
      using runs = openRuns(flags, context);
      await bringNews(runs, context);
      const run = runs.store.resolveRun(name);
      const state = stateOf(runs, run);
      const options = { underWay: isUnderWay(runs, state) };
      const words = step === undefined ? whyRun(state, options) : why(state, step, options);
      context.stdout(
        runs.settings.json
          ? JSON.stringify({ run, step: step ?? null, why: words }) + "\n"
          : words + "\n",
      );
    });
}
