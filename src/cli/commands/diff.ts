import { runDifference } from "../../engine/run_difference.ts";
import type { RunState } from "../../engine/reduce.ts";
import type { Command } from "../command_line/command.ts";
import { bringNews } from "../submitted/news.ts";
import type { CommandContext } from "../command_module.ts";
import { isUnderWay, openRuns, type PastRuns, stateOf } from "../past_runs.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[run]", "a run: id, the beginning of one, a pipeline's name, or last", "last")
    .argument("[other]", "a later one; default: the newest of the same pipeline")
    .close(
      "Shows inputs, results, commit and steps that differ, and what took another time by more than\n" +
        "a tenth and a second. The newest run of a pipeline stands beside the one before it.",
    )
    .action<GlobalFlags>(async (name, otherName, flags) => {
      using runs = openRuns(flags, context);
      await bringNews(runs, context);
      const names = chosen(runs, { name, otherName });
      const [one, other] = [stateOf(runs, names.one), stateOf(runs, names.other)];
      const difference = runDifference(one, other);
      if (runs.settings.json) {
        const document = { one: one.run, other: other.run, ...difference };
        return context.stdout(JSON.stringify(document, null, 2) + "\n");
      }
      const { renderDifference } = await import("../../terminal/tables/difference_tables.ts");
      context.stdout(renderDifference(difference, {
        runs: [comparedRun(runs, one), comparedRun(runs, other)],
        color: runs.settings.color.stdout,
        width: context.columns("stdout"),
      }));
    });
}

interface Chosen {
  readonly name: string;
  readonly otherName: string | undefined;
}

/** Ids, the earlier one first where only one was named. */
function chosen({ store }: PastRuns, { name, otherName }: Chosen) {
  const one = store.resolveRun(name);
  if (otherName !== undefined) return { one, other: store.resolveRun(otherName) };
  const pipeline = store.row(one)?.pipeline ?? name;
  const newest = store.resolveRun(pipeline);
  return newest === one
    ? { one: store.resolveRun(`${pipeline}@2`), other: one }
    : { one, other: newest };
}

function comparedRun(runs: PastRuns, state: RunState) {
  const { run, pipeline, result, durationMs } = state;
  const isStopped = result === "running" && !isUnderWay(runs, state);
  return { run, pipeline, result: isStopped ? "stopped" : result, durationMs };
}
