import { systemClock } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import type { Command } from "../command_line/command.ts";
import { bringNews } from "../submitted/news.ts";
import type { CommandContext } from "../command_module.ts";
import { collect, keyValues, nameList, positiveInteger } from "../option_values.ts";
import { openRuns, type PastRuns } from "../past_runs.ts";
import { findRuns, type HistoryRow, sinceTime, stateList } from "../run_history.ts";
import type { GlobalFlags } from "../settings.ts";
import { textOf } from "../../store/history.ts";

interface RunsFlags extends GlobalFlags {
  readonly limit: number;
  readonly pipeline?: string;
  readonly state?: readonly string[];
  readonly since?: string;
  readonly input: readonly string[];
  readonly columns: readonly string[];
  readonly note?: string;
}

/** A note is a line, not a diary. */
const LONGEST_NOTE = 500;

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[run]", "with --note: the run it is about; default last")
    .option("-n, --limit <n>", "how many", { read: positiveInteger, initial: 20 })
    .option("--pipeline <name>", "only those of this pipeline")
    .option("--state <states>", "only those that are so, such as failed,stopped", {
      read: stateList,
    })
    .option("--since <time>", "only those that began since: 2d, or 2026-01-31")
    .option("-i, --input <name=value>", "only those with this input; repeatable", {
      read: collect,
      initial: [],
    })
    .option("--columns <names>", "show these outputs or inputs, separated by commas", {
      read: nameList,
      initial: [],
    })
    .option("--note <text>", "keep a note on a run; an empty one takes it away")
    .action<RunsFlags>(async (name, flags) => {
      using runs = openRuns(flags, context);
      await bringNews(runs, context);
      if (flags.note !== undefined) return keepNote(runs, { name, note: flags.note, context });
      if (name !== undefined) throw noteOnly(name);
      const now = systemClock.now();
      const { limit, pipeline, state, since, columns } = flags;
      const rows = findRuns(runs, {
        limit,
        pipeline,
        states: state,
        since: since === undefined ? undefined : sinceTime(since, { now, what: "runs" }),
        inputs: keyValues(flags.input),
        columns,
      });
      if (runs.settings.json) {
        return context.stdout(JSON.stringify({ runs: rows.map(rowDocument) }, null, 2) + "\n");
      }
      const { renderRuns } = await import("../../terminal/tables/runs_table.ts");
      const isFiltered = pipeline !== undefined || state !== undefined || since !== undefined ||
        flags.input.length > 0;
      context.stdout(renderRuns(
        rows.map((row) => ({
          ...row,
          inputs: Object.entries(row.inputs).map(([name, value]) => `${name}=${textOf(value)}`)
            .join(" "),
          columns: columns.map((column) =>
            Object.hasOwn(row.outputs, column) ? textOf(row.outputs[column]) : ""
          ),
        })),
        {
          color: runs.settings.color.stdout,
          width: context.columns("stdout"),
          now,
          columns,
          isFiltered,
        },
      ));
    });
}

/** Times as reports and `grid show --json` have them. */
function rowDocument(row: HistoryRow): Record<string, unknown> {
  const times = Object.fromEntries(
    (["startedAt", "finishedAt", "lastEventAt"] as const).flatMap((name) => {
      const at = row[name];
      return at === undefined ? [] : [[name, new Date(at).toISOString()]];
    }),
  );
  return { ...row, ...times };
}

interface Note {
  readonly name: string | undefined;
  readonly note: string;
  readonly context: CommandContext;
}

function keepNote({ store }: PastRuns, { name, note, context }: Note): void {
  if (note.length > LONGEST_NOTE) {
    throw new GridError({
      code: "usage",
      message: `Cannot keep the note: it has ${note.length} characters, ${LONGEST_NOTE} are kept`,
    });
  }
  const run = store.resolveRun(name ?? "last");
  store.setNote(run, note.trim());
  context.stderr(note.trim() === "" ? `run ${run} has no note now\n` : `noted on run ${run}\n`);
}

function noteOnly(name: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot list one run: "${name}" goes with --note`,
    hint: `to see it: grid show ${name}`,
  });
}
