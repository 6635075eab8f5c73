import { type GridError, toGridError } from "../core/errors.ts";
import { problemRecord } from "../document/problem_record.ts";
import { renderProblem } from "../terminal/problem.ts";
import type { CliContext } from "./context.ts";

/**
 * Shows what went wrong, for people or as JSON, and returns the exit code. Data that is out already is all that there
 * is: two objects would be none.
 */
export function reportProblem(
  thrown: unknown,
  context: CliContext,
  { hasPrinted = false }: { readonly hasPrinted?: boolean } = {},
): number {
  const error = toGridError(thrown);
  if (context.problemFile !== undefined) leaveProblem(error, context.problemFile);
  if (wantsJson(context.args) && !hasPrinted) tell("stdout", asJson(error), context);
  const color = context.stderrIsTerminal && !context.env["NO_COLOR"] &&
    context.env["TERM"] !== "dumb";
  tell("stderr", renderProblem(error, { color }), context);
  return error.exitCode;
}

/** The same as data. Where it finds no room, or nobody waits for it any more, the words alone must do. */
function leaveProblem(error: GridError, file: string): void {
  try {
    Deno.writeTextFileSync(file, JSON.stringify(problemRecord(error)), { create: false });
  } catch {
    // The words that follow say it. No diary: its package may be what is missing.
  }
}

/** What stands behind `--` is a command's own. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end === -1 ? args : args.slice(0, end)).includes("--json");
}

function asJson({ code, message, hint, node, place, exitCode }: GridError): string {
  return JSON.stringify({ error: { code, message, hint, node, place, exitCode } }) + "\n";
}

/** Where a stream takes nothing, the other one and the exit code are left to say it. */
function tell(stream: "stdout" | "stderr", text: string, context: CliContext): void {
  try {
    context[stream](text);
  } catch (thrown) {
    if (context.outputLost() === undefined) throw thrown;
  }
}
