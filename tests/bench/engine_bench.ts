/**
 * What a step costs: no-op steps through the engine and the real store, then through the whole
 * program with every report, beside the other runners that are installed, each with as many jobs at
 * a time as there are cores:
 *
 *     apt-get install -y --no-install-recommends make ninja-build parallel
 *     python3 -m venv /opt/grid-hq-venv && /opt/grid-hq-venv/bin/pip install hyperqueue==0.27.0
 *     python3 -m venv /opt/grid-snakemake-venv && /opt/grid-snakemake-venv/bin/pip install snakemake
 *
 * HyperQueue's server and worker are up before its clock starts; Grid's time is from start to exit.
 *
 * Promises: 1,000 steps of the whole program ≤ 3 s, a chain of 100 ≤ 0.5 s.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import type { StepKinds } from "../../src/engine/ports.ts";
import { runPipeline } from "../../src/engine/run.ts";
import { reduce, type RunState } from "../../src/engine/reduce.ts";
import type { Step } from "../../src/pipeline/pipeline.ts";
import { openStore } from "../../src/store/open.ts";
import { programArgs } from "../support/cli.ts";
import { pipeline, step } from "../support/pipelines.ts";
import { findProgram } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROUNDS = 3;
const JOBS = `-j${navigator.hardwareConcurrency}`;

type Runner = (steps: readonly Step[]) => Promise<number | undefined>;

async function main(): Promise<void> {
  for (const [name, steps] of Object.entries({ "1,000": wide(1000), "10,000": wide(10_000) })) {
    row(`engine and store: ${name} side by side`, await timeEngine(steps));
  }
  for (const [name, steps] of Object.entries({ "100": chain(100), "10,000": chain(10_000) })) {
    row(`engine and store: chain of ${name}`, await timeEngine(steps));
  }
  // The smaller first: for a minute after thousands of files were deleted, ext4 takes up to a hundred times
  // as long to make a new one, because it passes over the numbers of those that are gone.
  await compare("chain of 100", chain(100), {
    "GNU make": timeMake,
    "ninja": timeNinja,
    "Snakemake": timeSnakemake,
    "HyperQueue": timeHyperQueue,
  });
  await compare("1,000 side by side", wide(1000), {
    "GNU make": timeMake,
    "ninja": timeNinja,
    "GNU parallel": timeParallel,
    "Snakemake": timeSnakemake,
    "HyperQueue": timeHyperQueue,
  });
}

/** One row per runner; last in it, how many times as long Grid takes. */
async function compare(
  what: string,
  steps: readonly Step[],
  others: Readonly<Record<string, Runner>>,
): Promise<void> {
  const grid = await timeProgram(steps);
  row(`${what}: grid run, all reports`, grid);
  for (const [name, time] of Object.entries(others)) {
    const ms = await time(steps);
    row(`${what}: ${name}`, ms, ms === undefined ? "" : `${(grid / ms).toFixed(2)}×`);
  }
}

function row(name: string, ms: number | undefined, ratio = ""): void {
  const shown = ms === undefined ? "not installed" : `${ms.toFixed(0)} ms`;
  console.log(`${name.padEnd(46)} ${shown.padStart(14)} ${ratio.padStart(8)}`);
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
  return await median(async (round) => {
    let state: RunState | undefined;
    const events = runPipeline(pipeline(steps), {
      kinds: { run: kind } as unknown as StepKinds,
      journal: store,
      output: { open: () => ({ write() {}, [Symbol.asyncDispose]: () => Promise.resolve() }) },
      clock: systemClock,
      random: Math.random,
      mask: (value) => value,
    }, {
      run: `run-${round}`,
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
  return await median(() => execute(make, ["-s", JOBS], dir.path));
}

async function timeNinja(steps: readonly Step[]): Promise<number | undefined> {
  const ninja = findProgram("ninja");
  if (!ninja) return undefined;
  using dir = tempDir();
  const builds = steps.map(({ id, needs }) => `build ${id}: job ${needs.join(" ")}\n`);
  Deno.writeTextFileSync(
    join(dir.path, "build.ninja"),
    `rule job\n  command = true\n${builds.join("")}`,
  );
  return await median(() => execute(ninja, ["--quiet", JOBS], dir.path));
}

async function timeParallel(steps: readonly Step[]): Promise<number | undefined> {
  const parallel = findProgram("parallel");
  if (!parallel) return undefined;
  const ids = steps.map(({ id }) => id);
  return await median(() => execute(parallel, [JOBS, ":", "#", ":::", ...ids]));
}

/** Once only, for it takes a minute. */
async function timeSnakemake(steps: readonly Step[]): Promise<number | undefined> {
  const snakemake = installed("/opt/grid-snakemake-venv/bin/snakemake") ?? findProgram("snakemake");
  if (!snakemake) return undefined;
  using dir = tempDir();
  const rules = steps.map(({ id, needs }) =>
    `rule ${id}:\n    input: ${JSON.stringify(needs)}\n` +
    `    output: touch("${id}")\n    shell: ":"\n`
  );
  const all = JSON.stringify(steps.map(({ id }) => id));
  Deno.writeTextFileSync(
    join(dir.path, "Snakefile"),
    `rule all:\n    input: ${all}\n${rules.join("")}`,
  );
  return await median(() => execute(snakemake, [JOBS, "--quiet"], dir.path), { rounds: 1 });
}

/** Submits a job of as many tasks, and waits for it. */
const HYPER_QUEUE = `
import json, sys, time
from hyperqueue import Job
from hyperqueue.cluster import LocalCluster, WorkerConfig
steps = json.load(open("steps.json"))
with LocalCluster() as cluster:
    cluster.start_worker(WorkerConfig(cores=int(sys.argv[1])))
    client = cluster.client()
    times = []
    for _ in range(int(sys.argv[2])):
        begun = time.monotonic()
        job, tasks = Job(), {}
        for step in steps:
            tasks[step["id"]] = job.program(["true"], deps=[tasks[name] for name in step["needs"]])
        client.wait_for_jobs([client.submit(job)])
        times.append(time.monotonic() - begun)
print("\\nmedian", sorted(times)[len(times) // 2] * 1000)
`;

async function timeHyperQueue(steps: readonly Step[]): Promise<number | undefined> {
  const python = installed("/opt/grid-hq-venv/bin/python");
  if (!python) return undefined;
  using dir = tempDir();
  const needs = steps.map(({ id, needs }) => ({ id, needs }));
  Deno.writeTextFileSync(join(dir.path, "steps.json"), JSON.stringify(needs));
  const { stdout, stderr } = await new Deno.Command(python, {
    args: ["-c", HYPER_QUEUE, String(navigator.hardwareConcurrency), String(ROUNDS)],
    cwd: dir.path,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const median = /^median ([\d.]+)$/m.exec(new TextDecoder().decode(stdout))?.[1];
  if (median === undefined) throw new Error(`HyperQueue: ${new TextDecoder().decode(stderr)}`);
  return Number(median);
}

function installed(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
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

async function median(
  work: (round: number) => Promise<void>,
  { rounds = ROUNDS } = {},
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await work(round);
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

if (import.meta.main) await main();
