import { lazy } from "../core/lazy.ts";
import { SUBMITTED } from "./submitted/request.ts";
import { Command } from "./command_line/command.ts";
import { VERSION_OPTION } from "./command_line/option.ts";
import { parseCommandLine } from "./command_line/parse.ts";
import { COMMANDS } from "./commands.ts";
import type { CliContext } from "./context.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";

/** Runs one command line; resolves with the exit code. Never throws. */
export async function runProgram(outside: CliContext): Promise<number> {
  let exitCode = 0;
  let hasPrinted = false;
  const context: CliContext = {
    ...outside,
    stdout(data) {
      hasPrinted ||= data.length > 0;
      outside.stdout(data);
    },
  };
  try {
    if (context.args[0] === COMPLETE) return await completeWord(context);
    if (context.args[0] === SUBMITTED) {
      const { answerHome } = await lazy<typeof import("./submitted/node_side.ts")>(
        "./submitted/node_side.ts",
        import.meta.url,
      );
      return await answerHome(context);
    }
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
    const { reportProblem } = await lazy<typeof import("./report_problem.ts")>(
      "./report_problem.ts",
      import.meta.url,
    );
    return reportProblem(thrown, outside, { hasPrinted });
  }
}

/** What the completions of shells call; not for people, so it stands in no list. */
const COMPLETE = "__complete";

async function completeWord(context: CliContext): Promise<number> {
  const { complete, completionLines, namesOf } = await lazy<typeof import("./complete.ts")>(
    "./complete.ts",
    import.meta.url,
  );
  const words = context.args.slice(1);
  const program = await buildProgram({ ...context, args: words }, () => {});
  const found = await complete(program, { words, names: namesOf(context) });
  context.stdout(completionLines(found));
  return 0;
}

/** Every command with its arguments and options, for the manual page. */
export async function wholeProgram(context: CliContext): Promise<Command> {
  const args = COMMANDS.map(({ name }) => name);
  return await buildProgram({ ...context, args }, () => {});
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
