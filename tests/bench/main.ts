/**
 * Runs the benchmarks one after another: `deno task bench [name …]`, for example `sync transport`.
 * Each prints a table of Grid beside the real alternative, measured in the same run.
 */
const folder = new URL("./", import.meta.url);
const all = [...Deno.readDirSync(folder)].map((entry) => entry.name)
  .filter((name) => name.endsWith("_bench.ts")).toSorted();
const wanted = Deno.args.length === 0
  ? all
  : all.filter((name) => Deno.args.includes(name.replace("_bench.ts", "")));
if (wanted.length === 0) {
  const names = all.map((name) => name.replace("_bench.ts", "")).join(", ");
  console.error(`no benchmark of that name; there are: ${names}`);
  Deno.exit(2);
}

let code = 0;
for (const name of wanted) {
  console.log(`\n== ${name.replace("_bench.ts", "")}`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(name, folder).pathname],
  }).spawn().status;
  if (!success) code = 1;
}
Deno.exit(code);
