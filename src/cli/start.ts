import type { CliContext } from "./context.ts";
import { renderOverview } from "./overview.ts";
import { VERSION } from "./version.ts";

/** Runs one command line; resolves with the exit code. Never throws. */
export async function start(context: CliContext): Promise<number> {
  const [first, ...rest] = context.args;
  if (first === undefined) {
    context.stderr(renderOverview());
    return 2;
  }
  if (rest.length === 0 && (first === "--help" || first === "-h" || first === "help")) {
    context.stdout(renderOverview());
    return 0;
  }
  if (rest.length === 0 && first === "--version") {
    context.stdout(VERSION + "\n");
    return 0;
  }
  // Not a literal: Deno would read the parser and all it imports before the first line above.
  const program: typeof import("./program.ts") = await import(
    new URL("./program.ts", import.meta.url).href
  );
  return await program.runProgram(context);
}
