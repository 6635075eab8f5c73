import type { Command } from "../command_line/command.ts";
import { lazy } from "../../core/lazy.ts";
import { GridError } from "../../core/errors.ts";
import { resumableState } from "../../engine/resume/lineage.ts";
import type { NodeRunner } from "../../store/node_runners.ts";
import type { Store } from "../../store/store.ts";
import { bringNews } from "../submitted/news.ts";
import { earlierPipeline } from "../earlier_pipeline.ts";
import type { CommandContext } from "../command_module.ts";
import { collect } from "../option_values.ts";
import { appendJobSummary } from "../job_summary.ts";
import { endRestart, isForRestart } from "../restart_end.ts";
import { openRuns } from "../past_runs.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface ResumeFlags extends GlobalFlags {
  readonly input: readonly string[];
  readonly from?: string;
  readonly only?: string;
  readonly here?: true;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[run]", "a run; default: the newest that came from a file and did not succeed")
    .option("--from <step>", "repeat this step and everything after it")
    .option("--only <step>", "repeat this step alone")
    .option("-i, --input <name=value>", "change an input; may be repeated", {
      read: collect,
      initial: [],
    })
    .option("--here", "of a run on a node that is gone for good: go on here, from what came home")
    .action<ResumeFlags>(async (name, flags) => {
      context.setExitCode(await resume(name, { flags, context }));
    });
}

interface Invocation {
  readonly flags: ResumeFlags;
  readonly context: CommandContext;
}

async function resume(word: string | undefined, { flags, context }: Invocation): Promise<number> {
  await using session = await openSession(flags, context);
  using _pipes = session.watchOutput();
  const { grid, signal, settings } = session;
  await newsOf({ flags, context });
  const name = word ?? newestRun(grid.store, { isChosen: isChosen(flags) });
  const named = grid.store.resolveRun(name);
  const run = grid.store.latestOf(named);
  if (run !== named && !settings.quiet) {
    session.words.print(`run ${run} went on from ${named} already: going on from there\n`);
  }
  if (word === undefined && !settings.quiet) {
    session.words.print(`going on from run ${run}\n`);
  }
  if (context.restart !== undefined && !await isForRestart(run, { store: grid.store, context })) {
    return 0;
  }
  const earlier = resumableState(run, (each) => grid.store.events(each));
  if (earlier.file === "") throw cannotResume(name);
  const there = grid.store.nodeRunners.find(run);
  if (there !== undefined && !flags.here) {
    return await resumeThere(there, { flags, context, session });
  }
  if (there !== undefined) grid.store.nodeRunners.put({ ...there, isAlive: false });
  const pipeline = await earlierPipeline(earlier, { input: flags.input, grid, context });
  const { openTerminal } = await lazy<typeof import("../run_terminal.ts")>(
    "../run_terminal.ts",
    import.meta.url,
  );
  const state = await grid.run({ ...pipeline, file: earlier.file }, {
    signal,
    run: context.runId,
    secrets: context.secrets,
    readers: (run) => [openTerminal({ run, session, context, pipeline, mode: "steps" })],
    from: flags.from,
    only: flags.only,
    resume: earlier,
    isLast: true,
  });
  await endRestart(context);
  if (settings.json) context.stdout(await grid.readReport(state));
  appendJobSummary({ grid, run: state.run, context });
  return state.exitCode ?? 70;
}

async function newsOf({ flags, context }: Invocation): Promise<void> {
  using runs = openRuns(flags, context);
  await bringNews(runs, context);
}

/** It goes on there, and is shown here. */
async function resumeThere(
  there: NodeRunner,
  { flags, context, session }: Invocation & { readonly session: Session },
): Promise<number> {
  const [{ resumeOn }, { attach }] = await Promise.all([
    lazy<typeof import("../submitted/resume_on.ts")>("../submitted/resume_on.ts", import.meta.url),
    lazy<typeof import("./attach.ts")>("./attach.ts", import.meta.url),
  ]);
  const begun = await resumeOn(there, { flags, context, session });
  if (begun.run !== undefined) return await attach(begun.run, { flags, context });
  throw begun.problem;
}

/** A part, or something changed, may be wanted of a run that succeeded, too. */
function isChosen({ from, only, input }: ResumeFlags): boolean {
  return from !== undefined || only !== undefined || input.length > 0;
}

/**
 * The newest that can be gone on from: not one that runs, or was gone on from already, or, unless a part of
 * it is chosen, that succeeded.
 *
 * @throws {GridError} `usage`
 */
function newestRun(store: Store, { isChosen }: { readonly isChosen: boolean }): string {
  const row = store.runs().find(({ run, file, result, resumedAs }) =>
    file !== "" && resumedAs === undefined && !(result === "running" && store.isAlive(run)) &&
    (isChosen || (result !== "succeeded" && result !== "skipped"))
  );
  if (row !== undefined) return row.run;
  throw new GridError({
    code: "usage",
    message: "Cannot resume: there is no run of a pipeline that did not succeed",
    hint: "a run that is named is gone over again: grid resume last; see: grid runs",
  });
}

function cannotResume(name: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot resume run "${name}": it came from no pipeline file`,
    hint: "commands are run again with: grid run",
  });
}
