/**
 * A process that writes a run into a store: `store_writer.ts <file> <run> <events>`. Prints the
 * number of each event once `append` has returned.
 */
import { openStore } from "../../src/store/open.ts";
import { runStarted, warned } from "./events.ts";

const [path = "", run = "", count = "0"] = Deno.args;
const encoder = new TextEncoder();
using store = openStore(path);
store.append(run, [runStarted(run)]);
for (let number = 0; number < Number(count); number++) {
  store.append(run, [warned(String(number))]);
  Deno.stdout.writeSync(encoder.encode(`${number}\n`));
}
