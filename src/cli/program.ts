import { Command, CommanderError, Option } from "@commander-js/extra-typings";
import { lazy } from "../core/lazy.ts";
import { type CommandEntry, COMMANDS } from "./commands.ts";
import type { CliContext } from "./context.ts";
import { GLOBAL_OPTIONS, type GlobalOption } from "./global_options.ts";
import { renderOverview } from "./overview.ts";
import { VERSION } from "./version.ts";

/** Runs one command line; resolves with the exit code. Never throws. */
export async function runProgram(context: CliContext): Promise<number> {
  let exitCode = 0;
  const program = await buildProgram(context, (code) => exitCode = code);
  try {
    await program.parseAsync([...context.args], { from: "user" });
    return exitCode;
  } catch (thrown) {
    // Commander has printed its words already; help and version are no failures.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const { reportProblem } = await lazy<typeof import("./problem.ts")>(
      "./problem.ts",
      import.meta.url,
    );
    return reportProblem(thrown, context);
  }
}

async function buildProgram(
  context: CliContext,
  setExitCode: (code: number) => void,
): Promise<Command> {
  const program = new Command("grid") as Command;
  program
    .description("Run declarative pipelines on GPU machines reached over SSH")
    .version(VERSION, "--version", "print the version");
  for (const option of GLOBAL_OPTIONS) program.addOption(globalOption(option));
  inherit(program, context);
  program.configureHelp({ formatHelp: renderOverview });
  for (const entry of COMMANDS) await addCommand(program, { entry, context, setExitCode });
  return program;
}

function globalOption({ flags, summary, choices }: GlobalOption): Option {
  const option = new Option(flags, summary);
  return choices ? option.choices(choices) : option;
}

interface AddCommandOptions {
  readonly entry: CommandEntry;
  readonly context: CliContext;
  readonly setExitCode: (code: number) => void;
}

async function addCommand(program: Command, options: AddCommandOptions): Promise<void> {
  const { entry, context, setExitCode } = options;
  const command = program.command(entry.name).summary(entry.summary).helpGroup(entry.group + ":");
  command.description(entry.summary);
  inherit(command, context);
  if (!context.args.includes(entry.name)) return;
  const { define } = await entry.load();
  define(command, { ...context, setExitCode });
  for (const child of command.commands) inherit(child as Command, context);
}

/** Errors are thrown and words go through the context, for every command alike. */
function inherit(command: Command, context: CliContext): void {
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout(text),
      writeErr: (text) => context.stderr(text),
      getOutHelpWidth: () => Math.min(100, context.columns()),
      getErrHelpWidth: () => Math.min(100, context.columns()),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .showSuggestionAfterError(true)
    .showHelpAfterError("(see --help)");
}
