/**
 * What a step costs: no-op steps through the engine and the real store, then through the whole
 * program with every report, beside make, ninja, GNU parallel and Snakemake where installed.
 * Promises: 1,000 steps of the whole program ≤ 3 s, a chain of 100 ≤ 0.5 s.
 */
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import type { StepKinds } from "../../src/engine/ports.ts";
import { runPipeline } from "../../src/engine/run.ts";
import { reduce, type RunState } from "../../src/engine/state.ts";
import type { Step } from "../../src/pipeline/pipeline.ts";
import { openStore } from "../../src/store/open.ts";
import { programArgs } from "../support/cli.ts";
import { pipeline, step } from "../support/pipelines.ts";
import { findProgram } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const REPEATS = 3;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const rows: [string, number | undefined][] = [
    ["engine and store: 1,000 steps side by side", await timeEngine(wide(1000))],
    ["engine and store: 10,000 steps side by side", await timeEngine(wide(10_000))],
    ["engine and store: chain of 100", await timeEngine(chain(100))],
    ["engine and store: chain of 10,000", await timeEngine(chain(10_000))],
    ["grid run, all reports: 1,000 steps side by side", await timeProgram(wide(1000))],
    ["grid run, all reports: chain of 100", await timeProgram(chain(100))],
    ["GNU make -j2: 1,000 jobs", await timeMake(wide(1000))],
    ["GNU make: chain of 100", await timeMake(chain(100))],
    ["GNU parallel -j2: 1,000 jobs", await timeParallel(1000)],
    ["Snakemake -j2: 1,000 jobs", await timeSnakemake(1000)],
  ];
  for (const [name, ms] of rows) {
    const shown = ms === undefined ? "not installed" : `${ms.toFixed(0)} ms`;
    console.log(`${name.padEnd(50)} ${shown.padStart(14)}`);
  }
}

function wide(count: number): Step[] {
  return Array.from({ length: count }, (_, index) => step(`s${index}`));
}

function chain(count: number): Step[] {
  return wide(count).map((one, index) => index === 0 ? one : { ...one, needs: [`s${index - 1}`] });
}

/** Median milliseconds of whole runs, state folded along. */
async function timeEngine(steps: readonly Step[]): Promise<number> {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  const kind = { run: () => Promise.resolve({ status: "succeeded", outputs: {} }) };
  return await median(async (repeat) => {
    let state: RunState | undefined;
    const events = runPipeline(pipeline(steps), {
      kinds: { run: kind } as unknown as StepKinds,
      journal: store,
      output: { open: () => ({ write() {}, [Symbol.asyncDispose]: () => Promise.resolve() }) },
      clock: systemClock,
      random: Math.random,
      mask: (value) => value,
    }, {
      run: `run-${repeat}`,
      project: dir.path,
      signal: new AbortController().signal,
      secrets: {},
      env: {},
      gridVersion: "bench",
    });
    for await (const event of events) state = reduce(state, event);
    if (state?.result !== "succeeded") throw new Error(`the run ${state?.result}`);
  });
}

/** `grid run` as its users start it: a process, a store, a folder of reports. */
async function timeProgram(steps: readonly Step[]): Promise<number> {
  using dir = tempDir();
  const entries = steps.map(({ id, needs }) =>
    `  - { id: ${id}, needs: [${needs.join(", ")}], node: local, run: ":" }\n`
  );
  Deno.writeTextFileSync(join(dir.path, "p.yaml"), `name: bench\nsteps:\n${entries.join("")}`);
  Deno.mkdirSync(join(dir.path, ".grid"));
  const args = programArgs(["run", "p.yaml", "--quiet"]);
  return await median(() => execute(Deno.execPath(), args, dir.path));
}

async function timeMake(steps: readonly Step[]): Promise<number | undefined> {
  const make = findProgram("make");
  if (!make) return undefined;
  using dir = tempDir();
  // Not ":", which make takes for nothing and does not start.
  const rules = steps.map(({ id, needs }) => `${id}: ${needs.join(" ")}\n\t@/bin/sh -c true\n`);
  const all = steps.map(({ id }) => id).join(" ");
  Deno.writeTextFileSync(
    join(dir.path, "Makefile"),
    `.PHONY: all ${all}\nall: ${all}\n${rules.join("")}`,
  );
  return await median(() => execute(make, ["-s", "-j2"], dir.path));
}

async function timeSnakemake(jobs: number): Promise<number | undefined> {
  const snakemake = findProgram("snakemake");
  if (!snakemake) return undefined;
  using dir = tempDir();
  Deno.writeTextFileSync(
    join(dir.path, "Snakefile"),
    `rule all:\n    input: expand("out/{n}", n=range(${jobs}))\n` +
      `rule one:\n    output: touch("out/{n}")\n    shell: ":"\n`,
  );
  return await median(() => execute(snakemake, ["-j2", "-F", "-q"], dir.path));
}

async function timeParallel(jobs: number): Promise<number | undefined> {
  const parallel = findProgram("parallel");
  if (!parallel) return undefined;
  const numbers = Array.from({ length: jobs }, (_, index) => String(index));
  return await median(() => execute(parallel, ["-j2", ":", "#", ":::", ...numbers]));
}

async function execute(program: string, args: readonly string[], cwd = "."): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
}

async function median(work: (repeat: number) => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = performance.now();
    await work(repeat);
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(REPEATS / 2)] ?? Number.NaN;
}
