import { systemClock } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import { compilePattern, loadPatterns, type Pattern, PatternFault } from "../../core/pattern.ts";
import type { Command } from "../command_line/command.ts";
import { bringNews, followNews } from "../submitted/news.ts";
import type { CommandContext } from "../command_module.ts";
import { LogPrinter } from "../log_printer.ts";
import { positiveInteger } from "../option_values.ts";
import { openRuns } from "../past_runs.ts";
import { sinceTime } from "../run_history.ts";
import type { GlobalFlags } from "../settings.ts";

interface LogsFlags extends GlobalFlags {
  readonly follow?: true;
  readonly attempt?: number;
  readonly item?: number;
  readonly rank?: number;
  readonly raw?: true;
  readonly tail?: number;
  readonly grep?: string;
  readonly since?: string;
  readonly timestamps?: true;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[run]", "a run: id, the beginning of one, a pipeline's name, or last", "last")
    .argument("[step]", "only this step, or the steps of this group; default all")
    .option("-f, --follow", "go on until the run is over")
    .option("--attempt <n>", "this attempt; default the last", { read: positiveInteger })
    .option("--item <n>", "only what this task of a ray-batch printed, counted from 0", {
      read: taskNumber,
    })
    .option("--rank <n>", "only what this rank of a step on many nodes printed, from 0", {
      read: rankNumber,
    })
    .option("--raw", "every byte as it was printed, also to a terminal")
    .option("--tail <n>", "only the last lines of each log so far", { read: positiveInteger })
    .option("--grep <pattern>", "only lines that hold this; a regular expression (RE2)")
    .option("--since <time>", "only what came since: 10m, or 2026-01-31T12:00")
    .option("-t, --timestamps", "with each line the time when it came, to a second, in UTC")
    .close("With --json: where each log lies, and its size.")
    .action<LogsFlags>(async (name, step, flags) => {
      if (flags.json && flags.follow) throw followedObject();
      using runs = openRuns(flags, context);
      await bringNews(runs, context);
      const run = runs.store.resolveRun(name);
      if (flags.grep !== undefined) await loadPatterns();
      const logs = new LogPrinter({
        runs,
        run,
        context,
        step,
        attempt: flags.attempt,
        item: flags.item,
        rank: flags.rank,
        // A pipe gets what was printed; a terminal would obey it.
        raw: flags.raw ?? !context.stdoutIsTerminal,
        // What goes into a file or a program has no other sign of where a step begins.
        marks: flags.raw || context.stdoutIsTerminal ? context.stderr : context.stdout,
        tail: flags.tail,
        since: flags.since === undefined
          ? undefined
          : sinceTime(flags.since, { now: systemClock.now(), what: "lines" }),
        timestamps: flags.timestamps ?? false,
        grep: flags.grep === undefined ? undefined : linePattern(flags.grep),
      });
      if (flags.json) {
        return context.stdout(JSON.stringify({ run, logs: logs.list() }, null, 2) + "\n");
      }
      await using _news = flags.follow ? followNews(runs, run, context) : undefined;
      await logs.print({ follow: flags.follow ?? false });
    });
}

function taskNumber(value: string): number {
  return numberOf(value, "a task");
}

function rankNumber(value: string): number {
  return numberOf(value, "a rank");
}

function numberOf(value: string, what: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new GridError({ code: "usage", message: `"${value}" is not the number of ${what}` });
}

function linePattern(text: string): Pattern {
  try {
    return compilePattern(text);
  } catch (cause) {
    if (!(cause instanceof PatternFault)) throw cause;
    throw new GridError({
      code: "usage",
      message: `Cannot look for "${text}": ${cause.message}`,
      hint: cause.hint ?? "a character that stands for itself has a backslash before it",
      cause,
    });
  }
}

function followedObject(): GridError {
  return new GridError({
    code: "usage",
    message: "Cannot follow logs as JSON: one object has an end",
    hint: "leave out --json or --follow",
  });
}
