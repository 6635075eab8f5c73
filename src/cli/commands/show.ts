import { systemClock } from "../../core/clock.ts";
import type { Command } from "../command_line/command.ts";
import { bringNews } from "../submitted/news.ts";
import { join, relative } from "node:path";
import type { CommandContext } from "../command_module.ts";
import { completeReport, isUnderWay, openRuns, readReport, stateOf } from "../past_runs.ts";
import { usualLines } from "../../terminal/usual_lines.ts";
import type { GlobalFlags } from "../settings.ts";
import { usualSteps } from "../../store/usual.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[run]", "a run: id, the beginning of one, a pipeline's name, or last", "last")
    .action<GlobalFlags>(async (name, flags) => {
      using runs = openRuns(flags, context);
      await bringNews(runs, context);
      const run = runs.store.resolveRun(name);
      const folder = runs.folder(run);
      if (runs.settings.json) return context.stdout(await readReport(runs, run));
      const [{ renderSummary }, { createPaint }, { lastLines }, { logNames }] = await Promise.all([
        import("../../terminal/summary.ts"),
        import("../../terminal/style.ts"),
        import("../../report/tail.ts"),
        import("../../report/log_names.ts"),
      ]);
      const state = stateOf(runs, run);
      const underWay = isUnderWay(runs, state);
      const lastAt = underWay ? undefined : runs.store.events(run).at(-1)?.at;
      const resumedAs = runs.store.latestOf(run);
      await completeReport(runs, state);
      const logName = logNames(state.steps.keys());
      const tails = new Map<string, readonly string[]>();
      for (const { id, status, attempts } of state.steps.values()) {
        if (attempts.length === 0 || (status !== "failed" && status !== "timed-out")) continue;
        const log = join(folder, "logs", logName(id, attempts.length));
        tails.set(id, await lastLines(log, TAIL_LINES));
      }
      const shown = relative(context.cwd, folder);
      context.stdout(renderSummary(state, {
        width: context.columns("stdout"),
        paint: createPaint(runs.settings.color.stdout),
        // A run whose runner was killed goes on no longer.
        now: lastAt ?? systemClock.now(),
        folder: shown,
        underWay,
        tail: (step) => tails.get(step) ?? [],
        logPath: (step, attempt) => join(shown, "logs", logName(step, attempt)),
      }));
      const lines = usualLines(state, {
        usual: usualSteps(runs.store, state),
        width: context.columns("stdout"),
        paint: createPaint(runs.settings.color.stdout),
      });
      if (lines.length > 0) context.stdout(`\n${lines.join("\n")}\n`);
      if (resumedAs !== run) {
        context.stdout(`\nresumed as ${resumedAs}; to see it: grid show ${resumedAs}\n`);
      }
    });
}

const TAIL_LINES = 30;
