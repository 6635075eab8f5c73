/** The program's door: `deno run … src/cli/main.ts <command>`. */
import { processContext } from "./context.ts";
import { runProgram } from "./program.ts";

Deno.exit(await runProgram(processContext()));
