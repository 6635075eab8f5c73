/**
 * Runs the benchmarks one after another: `deno task bench [name …]`, for example `sync transport`.
 * Each prints a table of Grid beside the real alternative, measured in the same run. `--page` also writes
 * what they printed, with the machine and the versions, into docs/benchmarks.md.
 */
import { parseArgs } from "node:util";
import { V8_FLAGS } from "../support/cli.ts";
import { writePage } from "./page.ts";

const folder = new URL("./", import.meta.url);
const { values, positionals } = parseArgs({
  args: Deno.args,
  options: { page: { type: "boolean", default: false } },
  allowPositionals: true,
});
const all = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => name.endsWith("_bench.ts")).map((name) => name.replace("_bench.ts", ""))
  .toSorted();
const wanted = positionals.length === 0 ? all : all.filter((name) => positionals.includes(name));
const unknown = positionals.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark is called ${unknown.join(" or ")}; there are: ${all.join(", ")}`);
  Deno.exit(2);
}

let code = 0;
const printed = new Map<string, string>();
for (const name of wanted) {
  console.log(`\n== ${name}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", V8_FLAGS, "-A", new URL(`${name}_bench.ts`, folder).pathname],
    env: { NO_COLOR: "1" },
    stdout: "piped",
  }).spawn();
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of child.stdout) {
    await Deno.stdout.write(bytes);
    text += decoder.decode(bytes, { stream: true });
  }
  if ((await child.status).success) printed.set(name, text);
  else code = 1;
}
if (values.page) writePage(printed);
Deno.exit(code);
