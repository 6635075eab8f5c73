import { toGridError } from "../core/errors.ts";
import { renderProblem } from "../terminal/problem.ts";
import type { CliContext } from "./context.ts";

/** Shows what went wrong, for people or as JSON, and returns the exit code. */
export function reportProblem(thrown: unknown, context: CliContext): number {
  const error = toGridError(thrown);
  if (context.args.includes("--json")) {
    const { code, message, hint, node, place, exitCode } = error;
    context.stdout(
      JSON.stringify({ error: { code, message, hint, node, place, exitCode } }) + "\n",
    );
  }
  context.stderr(
    renderProblem(error, { color: context.stderrIsTerminal && !context.env["NO_COLOR"] }),
  );
  return error.exitCode;
}
