/** A process that enters a run and takes a place in group `g`: `run_holder.ts <file> <run>`. */
import { openStore } from "../../src/store/open.ts";

const [path = "", run = ""] = Deno.args;
const store = openStore(path);
store.enter(run);
if (!store.join(run, { group: "g", max: 1 }).joined) Deno.exit(1);
await Deno.stdout.write(new TextEncoder().encode("joined\n"));
await new Promise((resolve) => setTimeout(resolve, 60_000));
