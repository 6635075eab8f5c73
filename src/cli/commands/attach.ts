import { GridError } from "../../core/errors.ts";
import { lazy } from "../../core/lazy.ts";
import type { RunState } from "../../engine/reduce.ts";
import type { Command } from "../command_line/command.ts";
import { bringNews, followNews } from "../submitted/news.ts";
import type { CommandContext } from "../command_module.ts";
import { openRuns, readReport, stateOf } from "../past_runs.ts";
import { followRun, ReplayClock } from "../run_follower.ts";
import { showRun } from "../run_terminal.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[run]", "a run: id, the beginning of one, a pipeline's name, or last", "last")
    .close("Ctrl-C leaves the run alone. The exit code is the run's.")
    .action<GlobalFlags>(async (name, flags) => {
      context.setExitCode(await attach(name, { flags, context }));
    });
}

export interface Invocation {
  readonly flags: GlobalFlags;
  readonly context: CommandContext;
}

export async function attach(name: string, { flags, context }: Invocation): Promise<number> {
  using runs = openRuns(flags, context);
  await bringNews(runs, context);
  const { settings, store } = runs;
  const run = store.resolveRun(name);
  const { file } = stateOf(runs, run);
  const left = new AbortController();
  using _signals = context.onSignal((signal) => left.abort(signal));
  using _pipes = context.onOutputProblem({
    closed: () => left.abort("SIGPIPE"),
    lost: ({ message }) => context.stderr(`warning: ${message}\n`),
  });
  const clock = new ReplayClock();
  const reader = showRun({
    run: { run, folder: runs.folder(run) },
    context,
    settings,
    clock,
    store,
    mode: file === "" ? "stream" : "steps",
  });
  await using _news = followNews(runs, run, context);
  const state = await followRun({ runs, run, reader, clock, signal: left.signal })
    .catch((thrown) => {
      if (left.signal.aborted) return undefined;
      throw thrown;
    });
  if (state === undefined || state.result === "running") {
    await reader.leave();
    if (state === undefined) return leave(run, { reason: String(left.signal.reason), context });
    throw await runnerGone(state, context);
  }
  await reader.close();
  if (settings.json) context.stdout(await readReport(runs, run));
  return state.exitCode ?? 70;
}

const CODES: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGPIPE: 141 };

function leave(
  run: string,
  { reason, context }: { readonly reason: string; readonly context: CommandContext },
): number {
  if (reason !== "SIGPIPE") {
    context.stderr(`\nleft; the run goes on: grid attach ${run}; to end it: grid cancel ${run}\n`);
  }
  return CODES[reason] ?? 70;
}

async function runnerGone({ run, file }: RunState, { env }: CommandContext): Promise<GridError> {
  const { restartingRuns } = await lazy<typeof import("../restart.ts")>(
    "../restart.ts",
    import.meta.url,
  );
  const isGoneOnWith = (await restartingRuns(env)).includes(run);
  const byHand = isGoneOnWith
    ? `it is gone on with once its machine has been restarted; at once: grid resume ${run}`
    : `to go on: grid resume ${run}`;
  return new GridError({
    code: "lost",
    message: `Cannot go on with run ${run}: its runner is gone`,
    hint: file === "" ? "what it left on nodes: grid ps" : byHand,
  });
}
