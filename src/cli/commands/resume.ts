import type { Command } from "../command_line/command.ts";
import { relative, resolve as resolvePath } from "node:path";
import { lazy } from "../../core/lazy.ts";
import { GridError } from "../../core/errors.ts";
import { resumableState } from "../../engine/resume/lineage.ts";
import { loadPipeline } from "../../pipeline/load.ts";
import type { Store } from "../../store/store.ts";
import type { CommandContext } from "../command_module.ts";
import { collect, inputWords, keyValues } from "../option_values.ts";
import { appendJobSummary } from "../job_summary.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface ResumeFlags extends GlobalFlags {
  readonly input: readonly string[];
  readonly from?: string;
  readonly only?: string;
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
  const name = word ?? newestRun(grid.store, { isChosen: isChosen(flags) });
  const named = grid.store.resolveRun(name);
  const run = grid.store.latestOf(named);
  if (run !== named && !settings.quiet) {
    session.words.print(`run ${run} went on from ${named} already: going on from there\n`);
  }
  if (word === undefined && !settings.quiet) {
    session.words.print(`going on from run ${run}\n`);
  }
  const earlier = resumableState(run, (each) => grid.store.events(each));
  if (earlier.file === "") throw cannotResume(name);
  const { pipeline } = await loadPipeline({
    file: relative(context.cwd, resolvePath(grid.project, earlier.file)),
    project: grid.project,
    inputs: { ...inputWords(earlier.inputs), ...keyValues(flags.input) },
    env: context.env,
    nodes: grid.cluster.nodes,
    local: grid.config.local,
  });
  const { openTerminal } = await lazy<typeof import("../run_terminal.ts")>(
    "../run_terminal.ts",
    import.meta.url,
  );
  const state = await grid.run({ ...pipeline, file: earlier.file }, {
    signal,
    run: context.runId,
    readers: (run) => [openTerminal({ run, session, context, pipeline, mode: "steps" })],
    from: flags.from,
    only: flags.only,
    resume: earlier,
  });
  if (settings.json) context.stdout(await grid.readReport(state));
  appendJobSummary({ grid, run: state.run, context });
  return state.exitCode ?? 70;
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
