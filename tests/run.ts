/**
 * Runs `deno test` and ends with the names of the tests that were skipped because a real part is
 * missing. Arguments are passed on: folders, files, `--filter`.
 */
const args = Deno.args.length > 0 ? Deno.args : ["tests"];
// Who has checked the types a moment ago need not do it twice.
const checked = Deno.env.has("GRID_TEST_CHECKED") ? ["--no-check"] : [];
const deadline = new URL("support/deadline.ts", import.meta.url).pathname;
const child = new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--frozen", "--parallel", ...checked, `--preload=${deadline}`, ...args],
  env: { DENO_JOBS: Deno.env.get("DENO_JOBS") ?? "2", NO_COLOR: "1" },
  stdout: "piped",
  stderr: "inherit",
}).spawn();

const skipped: string[] = [];
const decoder = new TextDecoder();
let rest = "";
for await (const bytes of child.stdout) {
  await Deno.stdout.write(bytes);
  const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const match = /^(.*) \.\.\. ignored/.exec(line);
    if (match?.[1] !== undefined) skipped.push(match[1].trim());
  }
}
const { code } = await child.status;
if (skipped.length > 0) {
  const list = skipped.map((name) => `  ${name}\n`).join("");
  await Deno.stdout.write(new TextEncoder().encode(`\nskipped, a real part is missing:\n${list}`));
}
Deno.exit(code);
