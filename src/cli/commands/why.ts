import type { Command } from "../command_line/command.ts";
import { systemClock } from "../../core/clock.ts";
import { bringNews } from "../submitted/news.ts";
import { why, whyHint, whyRun } from "../../engine/resume/why.ts";
import { oneLine } from "../../terminal/harmless.ts";
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
      const options = {
        underWay: isUnderWay(runs, state),
        saidAgoMs: (step: string, message: string) => {
          const said = runs.store.events(run).findLast((event) =>
            event.type === "warned" && event.step === step && event.message === message
          );
          return said && systemClock.now() - said.at;
        },
      };
      const words = step === undefined ? whyRun(state, options) : why(state, step, options);
      const hint = whyHint(state, step);
      if (runs.settings.json) {
        const told = { run, step: step ?? null, why: words, ...(hint !== undefined && { hint }) };
        context.stdout(JSON.stringify(told) + "\n");
        return;
      }
      context.stdout(words + "\n");
      if (hint !== undefined) context.stdout(`hint: ${oneLine(hint)}\n`);
    });
}
