import { lazy } from "../core/lazy.ts";
import type { CliContext } from "./context.ts";
import { renderOverview } from "./overview.ts";

/** Runs one command line; resolves with the exit code. Never throws. */
export async function start(context: CliContext): Promise<number> {
  const [first, ...rest] = context.args;
  const quick = rest.length > 0 ? undefined : quickAnswer(first);
  if (quick !== undefined) {
    try {
      context[quick.to](quick.text);
      return quick.exitCode;
    } catch (thrown) {
      const { reportProblem } = await lazy<typeof import("./report_problem.ts")>(
        "./report_problem.ts",
        import.meta.url,
      );
      return reportProblem(thrown, context);
    }
  }
  // Not before: Deno would read the parser and all it imports before the first line above.
  const program = await lazy<typeof import("./program.ts")>("./program.ts", import.meta.url);
  return await program.runProgram(context);
}

interface QuickAnswer {
  readonly to: "stdout" | "stderr";
  readonly text: string;
  readonly exitCode: number;
}

/** What needs no parser. */
function quickAnswer(word: string | undefined): QuickAnswer | undefined {
  switch (word) {
    case undefined:
      return { to: "stderr", text: renderOverview(), exitCode: 2 };
    case "--help":
    case "-h":
    case "help":
      return { to: "stdout", text: renderOverview(), exitCode: 0 };
    default:
      return undefined;
  }
}
