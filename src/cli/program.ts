import { lazy } from "../core/lazy.ts";
import { Command } from "./command_line/command.ts";
import { VERSION_OPTION } from "./command_line/option.ts";
import { parseCommandLine } from "./command_line/parse.ts";
import { COMMANDS } from "./commands.ts";
import type { CliContext } from "./context.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";

/** Runs one command line; resolves with the exit code. Never throws. */
export async function runProgram(context: CliContext): Promise<number> {
  let exitCode = 0;
  try {
    const program = await buildProgram(context, (code) => exitCode = code);
    const { command, words, flags, wants } = parseCommandLine(program, context.args);
    if (wants === "version") context.stdout(await versionWords(flags));
    else if (wants === "help") context.stdout(await helpOf(command, context));
    else if (command.run === undefined) {
      context.stderr(await helpOf(command, context));
      return 2;
    } else await command.run(...words, flags);
    // What was lost on its way out was not done well.
    return exitCode === 0 ? context.outputLost()?.exitCode ?? 0 : exitCode;
  } catch (thrown) {
    const { reportProblem } = await lazy<typeof import("./problem.ts")>(
      "./problem.ts",
      import.meta.url,
    );
    return reportProblem(thrown, context);
  }
}

async function versionWords({ json }: Readonly<Record<string, unknown>>): Promise<string> {
  const { installationWords, readInstallation } = await lazy<typeof import("./installation.ts")>(
    "./installation.ts",
    import.meta.url,
  );
  const installation = await readInstallation();
  return json === true ? JSON.stringify(installation) + "\n" : installationWords(installation);
}

async function buildProgram(
  context: CliContext,
  setExitCode: (code: number) => void,
): Promise<Command> {
  const program = new Command("grid", "Run declarative pipelines on GPU machines reached over SSH");
  for (const { flags, summary, choices } of GLOBAL_OPTIONS) {
    program.option(flags, summary, { choices });
  }
  program.option(VERSION_OPTION.flags, VERSION_OPTION.summary);
  for (const entry of COMMANDS) {
    const command = program.command(entry.name, entry.summary);
    if (!context.args.includes(entry.name)) continue;
    const { define } = await entry.load();
    define(command, { ...context, setExitCode });
  }
  return program;
}

/** Lines longer than this are hard to follow, however wide the terminal is. */
const WIDEST = 100;

async function helpOf(command: Command, context: CliContext): Promise<string> {
  if (command.parent === undefined) {
    const { renderOverview } = await lazy<typeof import("./overview.ts")>(
      "./overview.ts",
      import.meta.url,
    );
    return renderOverview();
  }
  const { renderHelp } = await lazy<typeof import("./command_line/help.ts")>(
    "./command_line/help.ts",
    import.meta.url,
  );
  return renderHelp(command, Math.min(WIDEST, context.columns("stdout")));
}
