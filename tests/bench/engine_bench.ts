/**
 * What the engine costs per step: no-op steps through the real store, beside the time GNU make and
 * GNU parallel need for as many no-op jobs. Run with `deno run -A tests/bench/engine_bench.ts`.
 */
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import type { StepKinds } from "../../src/engine/ports.ts";
import { runPipeline } from "../../src/engine/run.ts";
import { reduce, type RunState } from "../../src/engine/state.ts";
import type { Step } from "../../src/pipeline/pipeline.ts";
import { openStore } from "../../src/store/open.ts";
import { pipeline, step } from "../support/pipelines.ts";
import { findProgram } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const REPEATS = 3;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const wide = (count: number) => Array.from({ length: count }, (_, index) => step(`s${index}`));
  const chain = (count: number) =>
    Array.from(
      { length: count },
      (_, index) => step(`s${index}`, { needs: index === 0 ? [] : [`s${index - 1}`] }),
    );
  const rows: [string, number | undefined][] = [
    ["grid engine and store, 1,000 independent no-op steps", await timeEngine(wide(1000))],
    ["grid engine and store, 10,000 independent no-op steps", await timeEngine(wide(10_000))],
    ["grid engine and store, chain of 100 no-op steps", await timeEngine(chain(100))],
    ["grid engine and store, chain of 10,000 no-op steps", await timeEngine(chain(10_000))],
    ["GNU make -j2, 1,000 × true", await timeMake(1000)],
    ["GNU parallel -j2, 1,000 × true", await timeParallel(1000)],
  ];
  for (const [name, ms] of rows) {
    const shown = ms === undefined ? "not installed" : `${ms.toFixed(0)} ms`;
    console.log(`${name.padEnd(60)} ${shown.padStart(14)}`);
  }
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

async function timeMake(jobs: number): Promise<number | undefined> {
  const make = findProgram("make");
  if (!make) return undefined;
  using dir = tempDir();
  const targets = Array.from({ length: jobs }, (_, index) => `t${index}`);
  const rules = targets.map((target) => `${target}:\n\t@/bin/sh -c true\n`).join("");
  Deno.writeTextFileSync(
    join(dir.path, "Makefile"),
    `.PHONY: all ${targets.join(" ")}\nall: ${targets.join(" ")}\n${rules}`,
  );
  return await median(() => execute(make, ["-s", "-j2", "-C", dir.path]));
}

async function timeParallel(jobs: number): Promise<number | undefined> {
  const parallel = findProgram("parallel");
  if (!parallel) return undefined;
  const numbers = Array.from({ length: jobs }, (_, index) => String(index));
  return await median(() => execute(parallel, ["-j2", "true", "#", ":::", ...numbers]));
}

async function execute(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
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
