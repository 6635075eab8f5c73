/** The program's door: `deno run … src/cli/main.ts <command>`. */
import { processContext } from "./context.ts";
import { start } from "./start.ts";

Deno.exit(await start(processContext()));
