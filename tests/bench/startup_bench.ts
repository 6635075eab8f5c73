/** How long the program takes to its first word, beside an empty Deno file. Medians of 20 runs. */
import { join } from "node:path";
import { programArgs } from "../support/cli.ts";
import { tempDir } from "../support/temp_dir.ts";

const RUNS = 20;
using folder = tempDir();
const empty = join(folder.path, "empty.ts");
const chain = join(folder.path, "chain.yaml");
await Deno.writeTextFile(empty, "export {};\n");
await Deno.writeTextFile(chain, "name: one\nsteps:\n  - { id: a, node: local, run: 'true' }\n");

async function median(args: readonly string[]): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    await new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: folder.path,
      stdout: "null",
      stderr: "null",
    }).output();
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[RUNS / 2] ?? Number.NaN;
}

/** Time until the first byte on stderr. */
async function medianFirstLine(args: readonly string[]): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: folder.path,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const reader = child.stderr.getReader();
    await reader.read();
    times.push(performance.now() - start);
    while (!(await reader.read()).done);
    await child.status;
  }
  return times.toSorted((a, b) => a - b)[RUNS / 2] ?? Number.NaN;
}

const base = await median(["run", empty]);
const rows = [
  ["empty Deno file", base, undefined],
  ["grid --help", await median(programArgs(["--help"])), 50],
  ["grid plan", await median(programArgs(["plan", chain])), 100],
  ["grid run, first line", await medianFirstLine(programArgs(["run", chain])), 150],
] as const;
for (const [name, ms, budget] of rows) {
  const ratio = (ms / base).toFixed(1);
  console.log(
    `${name.padEnd(24)} ${ms.toFixed(0).padStart(5)} ms  ${ratio.padStart(4)}×` +
      (budget ? `  budget ${budget} ms` : ""),
  );
}
