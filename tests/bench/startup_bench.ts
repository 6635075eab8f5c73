/**
 * How long the program takes to its first word, and to check long files, beside an empty Deno file.
 * Medians of 20 runs; what it takes at most stands beside what it may take.
 */
import { join } from "node:path";
import { programArgs, REPOSITORY } from "../support/cli.ts";
import { tempDir } from "../support/temp_dir.ts";

const RUNS = 20;
using folder = tempDir();
const empty = join(folder.path, "empty.ts");
const chain = join(folder.path, "chain.yaml");
const train = ["-C", REPOSITORY, "plan", "pipelines/train.yaml"];
await Deno.writeTextFile(empty, "export {};\n");
await Deno.writeTextFile(chain, "name: one\nsteps:\n  - { id: a, node: local, run: 'true' }\n");

/** A file of so many steps that do nothing. */
async function longFile(steps: number): Promise<string> {
  const lines = Array.from(
    { length: steps },
    (_, at) => `  - { id: s${at}, needs: [], node: local, run: ":" }\n`,
  );
  const path = join(folder.path, `steps_${steps}.yaml`);
  await Deno.writeTextFile(path, `name: long\nsteps:\n${lines.join("")}`);
  return path;
}

/** The same number of steps as people write them: blocks, variables, expressions, limits. */
async function realFile(steps: number): Promise<string> {
  const lines = Array.from({ length: steps }, (_, at) => `
  - id: step_${at}
    needs: [${at === 0 ? "" : `step_${at - 1}`}]
    node: local
    env:
      EPOCHS: \${{ inputs.epochs }}
      LAST: ${at === 0 ? "none" : `\${{ steps.step_${at - 1}.outputs.value }}`}
    run: |
      python3 train.py --epochs "$EPOCHS" --part ${at}
      echo "value=1" >> "$GRID_OUTPUT"
    timeout: { attempt: 10m, idle: 2m }
    retry: 2
`);
  const path = join(folder.path, `real_${steps}.yaml`);
  const head = "name: real\ninputs:\n  epochs: { type: integer, default: 3 }\nsteps:\n";
  await Deno.writeTextFile(path, head + lines.join(""));
  return path;
}

async function median(args: readonly string[], runs = RUNS): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: folder.path,
      stdout: "null",
      stderr: "null",
    }).output();
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? Number.NaN;
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
  ["grid plan, train.yaml", await median(programArgs(train)), 100],
  ["grid run, first line", await medianFirstLine(programArgs(["run", chain])), 150],
  [
    "validate, 1,000 steps",
    await median(programArgs(["validate", await longFile(1000)])),
    300,
  ],
  [
    "the same as people write",
    await median(programArgs(["validate", await realFile(1000)])),
    undefined,
  ],
  [
    "validate, 10,000 steps",
    await median(programArgs(["validate", await longFile(10_000)]), 5),
    2000,
  ],
] as const;
for (const [name, ms, budget] of rows) {
  const ratio = (ms / base).toFixed(1);
  console.log(
    `${name.padEnd(24)} ${ms.toFixed(0).padStart(5)} ms  ${ratio.padStart(4)}×` +
      (budget ? `  budget ${budget} ms` : ""),
  );
}
