import type { Command } from "../command_line/command.ts";
import { lazy } from "../../core/lazy.ts";
import { GridError } from "../../core/errors.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { CommandContext } from "../command_module.ts";
import { collect, durationMs, nameList, positiveInteger, sizeBytes } from "../option_values.ts";
import { checkAgain, checkAll, checkForm, fileInstead, formOf } from "../run_form.ts";
import { appendJobSummary } from "../job_summary.ts";
import { applyRetention, retentionMs } from "../retention.ts";
import { endRestart } from "../restart_end.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

/** Longer than anybody wants to wait without saying so. */
const A_WEEK_MS = 7 * 86_400_000;

interface RunFlags extends GlobalFlags {
  readonly input: readonly string[];
  readonly inputs?: string;
  readonly node?: string;
  readonly all?: true;
  readonly nodes?: readonly string[];
  readonly gpus?: number;
  readonly gpu?: string;
  readonly label: readonly string[];
  readonly timeout?: number;
  readonly noStdin?: true;
  readonly wait?: true;
  readonly again?: string;
  readonly from?: string;
  readonly only?: string;
  readonly failFast?: true;
  readonly maxParallel?: number;
  readonly maxOutput?: number;
  readonly exitCode: string;
}

export function define(command: Command, context: CommandContext): void {
  withRunOptions(command)
    .option("--again <run>", "repeat an earlier run with exactly its pipeline, inputs and code")
    .option("--all", "for a command: run it on every node, and show equal outputs once")
    .option("--nodes <names>", "with --all: only these, such as gpu1,gpu[4-8]", { read: nameList })
    .option("--no-stdin", "for a command: give it nothing to read")
    .action<RunFlags>(async (target, flags) => {
      context.setExitCode(await run(target, { flags, context }));
    });
}

/** What `grid submit` takes, too. */
export function withRunOptions(command: Command): Command<[string | undefined]> {
  command.takesCommand = true;
  return command
    .argument(
      "[pipeline-or-command]",
      "a .yaml or .yml file, or a shell command in quotes or behind --",
    )
    .option("-i, --input <name=value>", "for a pipeline: set an input; may be repeated", {
      read: collect,
      initial: [],
    })
    .option("--inputs <file>", "for a pipeline: read inputs from a YAML or JSON file")
    .option(
      "--from <step>",
      "for a pipeline: run this step and all that come after it; every other is left out",
    )
    .option("--only <step>", "for a pipeline: run this step alone, or this matrix or template")
    .option("--fail-fast", "for a pipeline: cancel everything else when a step fails")
    .option("--max-parallel <n>", "for a pipeline: steps that may run at the same time", {
      read: positiveInteger,
    })
    .option(
      "--max-output <size>",
      "keep so much of what an attempt prints, such as 1GiB",
      { read: sizeBytes },
    )
    .option("--node <name>", "for a command: run it on this node")
    .option("--gpus <n>", "for a command: on a node with n free GPUs", { read: positiveInteger })
    .option("--gpu <model>", "for a command: on a node with a GPU of this model, such as A100")
    .option("--label <label>", "for a command: on a node so labelled", {
      read: collect,
      initial: [],
    })
    .option("--wait", "for a command: wait in line for a node that fits")
    .option("--timeout <duration>", "for a command: give up after, for example, 30m", {
      read: durationMs,
    })
    .option("--exit-code <whose>", "exit with Grid's code, or the failed step's own", {
      choices: ["grid", "step"],
      initial: "grid",
    });
}

interface Invocation {
  readonly flags: RunFlags;
  readonly context: CommandContext;
}

async function run(
  target: string | undefined,
  { flags, context }: Invocation,
): Promise<number> {
  if (flags.again !== undefined) return await runAgain(flags.again, { target, flags, context });
  if (target === undefined) throw nothingToRun();
  checkForm(target, flags);
  checkAll(flags);
  if (flags.all) return await runEverywhere(target, { flags, context });
  retentionMs(context.env); // said wrongly, it is better known before hours of work
  const isFile = formOf(target) === "file";
  const pipeline = isFile
    ? await readFile(target, { flags, context })
    : await makePipeline(target, { flags, context });
  await lazy<typeof import("../run_rooms.ts")>("../run_rooms.ts", import.meta.url);
  await using session = await openSession(flags, context);
  using _pipes = session.watchOutput();
  const { openTerminal } = await lazy<typeof import("../run_terminal.ts")>(
    "../run_terminal.ts",
    import.meta.url,
  );
  const state = await session.grid.run(pipeline, {
    signal: session.signal,
    run: context.runId,
    secrets: context.secrets,
    readers: (run) => [
      openTerminal({ run, session, context, pipeline, mode: isFile ? "steps" : "stream" }),
    ],
    maxParallel: flags.maxParallel,
    maxOutputBytes: flags.maxOutput,
    failFast: flags.failFast,
    passThrough: flags.exitCode === "step",
    input: isFile || flags.noStdin ? undefined : context.input(),
    from: flags.from,
    only: flags.only,
    isLast: true,
  });
  await endRestart(context);
  if (session.settings.json) context.stdout(await session.grid.readReport(state));
  appendJobSummary({ grid: session.grid, run: state.run, context });
  applyRetention(session.grid, context);
  const meant = isFile || state.exitCode === 0 ? undefined : fileInstead(target, context.cwd);
  if (meant !== undefined) {
    context.stderr(`hint: ${target} ran as a command; the pipeline is: grid run ${meant}\n`);
  }
  return state.exitCode ?? 70;
}

async function runEverywhere(command: string, { flags, context }: Invocation): Promise<number> {
  await using session = await openSession(flags, context);
  using _pipes = session.watchOutput();
  const { runAll } = await lazy<typeof import("../run_all.ts")>("../run_all.ts", import.meta.url);
  return await runAll({
    command,
    session,
    context,
    names: flags.nodes,
    timeoutMs: flags.timeout,
    passThrough: flags.exitCode === "step",
  });
}

function nothingToRun(): GridError {
  return new GridError({
    code: "usage",
    message: "Cannot run nothing: a pipeline file or a command is missing",
    hint: 'for example: grid run pipeline.yaml, or grid run "nvidia-smi"',
  });
}

async function runAgain(
  name: string,
  { target, flags, context }: Invocation & { readonly target: string | undefined },
): Promise<number> {
  checkAgain(target, flags);
  await using session = await openSession(flags, context);
  using _pipes = session.watchOutput();
  const { grid, signal, settings } = session;
  const [{ againOf }, { openTerminal }] = await Promise.all([
    lazy<typeof import("../again.ts")>("../again.ts", import.meta.url),
    lazy<typeof import("../run_terminal.ts")>("../run_terminal.ts", import.meta.url),
  ]);
  using again = await againOf(name, { grid, context, signal });
  if (!settings.quiet) {
    const { run, commit } = again;
    const from = commit === undefined ? "as it is here" : `from commit ${commit.slice(0, 7)}`;
    session.words.print(`run ${run} once more: its inputs, and its code ${from}\n`);
  }
  const state = await grid.run(again.pipeline, {
    signal,
    code: again.code,
    readers: (run) => [
      openTerminal({ run, session, context, pipeline: again.pipeline, mode: "steps" }),
    ],
    maxParallel: flags.maxParallel,
    maxOutputBytes: flags.maxOutput,
    failFast: flags.failFast,
    passThrough: flags.exitCode === "step",
    isLast: true,
  });
  if (settings.json) context.stdout(await grid.readReport(state));
  appendJobSummary({ grid, run: state.run, context });
  return state.exitCode ?? 70;
}

/** Its rooms are loaded only for a file: a command needs no language. */
async function readFile(file: string, invocation: Invocation): Promise<Pipeline> {
  const { readPipeline } = await lazy<typeof import("../pipeline_file.ts")>(
    "../pipeline_file.ts",
    import.meta.url,
  );
  return await readPipeline(file, invocation);
}

async function makePipeline(text: string, { flags }: Invocation): Promise<Pipeline> {
  const { commandPipeline } = await lazy<typeof import("../../pipeline/command_pipeline.ts")>(
    "../../pipeline/command_pipeline.ts",
    import.meta.url,
  );
  return commandPipeline({
    command: text,
    node: flags.node,
    gpus: flags.gpus,
    model: flags.gpu,
    labels: flags.label,
    timeoutMs: flags.timeout,
    waitMs: flags.wait ? A_WEEK_MS : 0,
  });
}
