/**
 * What a batch costs: the whole `grid run` beside the same work by hand on the same Ray, beside Dask's
 * `client.map` and beside multiprocessing, each as a process from its start to its end. Rounds are
 * interleaved, so that a busy machine is as busy for all; medians, and Grid's as a ratio to each.
 *
 * `GRID_BENCH_DASK_VENV` is a virtual environment with `distributed` (`/opt/grid-dask-venv`); without it
 * Dask is left out by name. `GRID_BENCH_OLD` names a checkout of an earlier Grid to stand beside.
 * `GRID_BENCH_ITEMS=100000 GRID_BENCH_ROUNDS=5` are the sizes of the promises; `GRID_BENCH_ONLY=many`, `few`
 * or `embedded` is one table alone.
 *
 * Promises: 100,000 tiny items with the default batch size ≤ 1.2× a driver by hand with its best one and
 * ≤ 200 MB; the step of 1,000 ≤ 1.1×; embedded, CPU-bound ≤ 1.1× Pool.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { programArgs, REPOSITORY } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { freePort } from "../support/ray_lab.ts";
import { findProgram, findRayVenv } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";
import { ProcessorTime } from "./processor_time.ts";

const ROUNDS = Number(Deno.env.get("GRID_BENCH_ROUNDS") ?? 1);
const MANY = Number(Deno.env.get("GRID_BENCH_ITEMS") ?? 10_000);
const ONLY = Deno.env.get("GRID_BENCH_ONLY");
/** Of one program; what takes longer is no way to do it. */
const DEADLINE_SECONDS = 200;
const processors = new ProcessorTime();

const WORK = `
def tiny(task):
    return task["id"] * task["id"]

def busy(task):
    total = 0
    for number in range(60000):
        total += number * number % 7
    return total + task["id"]
`;

/** `hand.py TASKS BATCH ADDRESS`: what somebody writes who knows Ray. */
const HAND = `
import json, sys
sys.path.insert(0, "code")
import ray
tasks = [json.loads(line) for line in open(sys.argv[1])]
size = int(sys.argv[2])
ray.init(address=sys.argv[3], logging_level="WARNING")
@ray.remote(num_cpus=1, max_calls=0)
def run(folder, batch):
    import sys
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import work
    return [work.tiny(task) for task in batch]
import os
folder = os.path.abspath("code")
batches = [run.remote(folder, tasks[at:at + size]) for at in range(0, len(tasks), size)]
results = [result for batch in batches for result in ray.get(batch)]
json.dump(results, open("out.json", "w"))
assert results[-1] == (len(tasks) - 1) ** 2
`;

const DASK_MAP = `
import json, sys
sys.path.insert(0, "code")
import work
from distributed import Client, LocalCluster
if __name__ == "__main__":
    tasks = [json.loads(line) for line in open(sys.argv[1])]
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            results = client.gather(client.map(work.tiny, tasks, batch_size=int(sys.argv[2])))
    json.dump(results, open("out.json", "w"))
    assert results[-1] == (len(tasks) - 1) ** 2
`;

const POOL = `
import json, multiprocessing, sys
sys.path.insert(0, "code")
import work
if __name__ == "__main__":
    tasks = [json.loads(line) for line in open(sys.argv[1])]
    with multiprocessing.Pool() as pool:
        results = pool.map(getattr(work, sys.argv[2]), tasks)
    json.dump(results, open("out.json", "w"))
`;

/** Prints the peak memory of what it runs, in KiB; what takes too long is ended, and fails. */
const PEAK = "import resource, subprocess, sys\n" +
  "code = subprocess.call(sys.argv[2:], timeout=float(sys.argv[1]))\n" +
  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\nsys.exit(code)";

const BATCH = (call: string, tasks: string) =>
  `name: bench
steps:
  - { id: code, sync: { from: code, to: all } }
  - { id: batch, needs: code, ray-batch: { call: "work:${call}", tasks: { file: ${tasks} } } }
`;

interface Measured {
  readonly ms: number;
  /** Of the processors, daemons included. */
  readonly seconds: number;
  readonly stepMs?: number;
  readonly peakMb?: number;
}
type Runner = () => Promise<Measured>;

async function main(): Promise<void> {
  const venv = findRayVenv();
  if (!venv || !findProgram("sshd")) return console.log("Ray or sshd is not installed");
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0, ray: true });
  using folder = tempDir();
  const path = (name: string) => join(folder.path, name);
  Deno.mkdirSync(path("code"));
  Deno.mkdirSync(path(".grid"));
  const tasks = (count: number) =>
    Array.from({ length: count }, (_, id) => `{"id": ${id}}\n`).join("");
  const gcsPort = freePort();
  const files = {
    "code/work.py": WORK,
    "hand.py": HAND,
    "dask_map.py": DASK_MAP,
    "pool.py": POOL,
    "large.jsonl": tasks(MANY),
    "small.jsonl": tasks(1000),
    "busy.jsonl": tasks(1000),
    "large.yaml": BATCH("tiny", "large.jsonl"),
    "small.yaml": BATCH("tiny", "small.jsonl"),
    "busy.yaml": BATCH("busy", "busy.jsonl"),
    "managed.yml": labConfig({ lab, rayMode: "managed" }).replace(
      "ray: { mode: managed }",
      `ray: { mode: managed, redis_port: ${gcsPort}, dashboard_port: ${freePort()}, ` +
        "object_store_memory: 400000000 }",
    ),
    "embedded.yml": `nodes: [{ name: here, transport: local }]\nremote_root: ${path("here")}\n` +
      "ray: { mode: embedded }\n",
  };
  for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(path(name), text);
  const cwd = folder.path;
  const gridOf = (checkout: string) => (args: readonly string[]): string[] => [
    Deno.execPath(),
    ...programArgs(args).map((word) => word.replace(REPOSITORY, checkout)),
  ];
  const grid = gridOf(REPOSITORY);
  const managed = ["--config", "managed.yml"];
  const isWanted = (table: string) => ONLY === undefined || ONLY === table;
  const needsRay = isWanted("many") || isWanted("few");
  if (needsRay) await execute(grid(["cluster", "start", ...managed]), { cwd });
  const [node] = lab.nodes;
  const address = `${node?.host}:${gcsPort}`;
  const env = {
    RAY_AUTH_MODE: "token",
    RAY_AUTH_TOKEN_PATH: join(node?.root ?? "", ".grid", "ray", "token"),
  };
  const python = join(venv, "bin", "python");
  const run = (words: readonly string[]): Runner => () => execute(words, { cwd, env });
  const hand = (tasks: string, size: number) =>
    run([python, "hand.py", tasks, String(size), address]);
  const batch = (pipeline: string, config: readonly string[]): Runner => async () => {
    const measured = await execute(grid(["run", pipeline, "--quiet", ...config]), { cwd });
    const shown = JSON.parse(await answer(grid(["show", "--json", ...config]), cwd));
    const step = shown.steps.find(({ id }: { id: string }) => id === "batch");
    return { ...measured, stepMs: step.durationMs };
  };
  const old = Deno.env.get("GRID_BENCH_OLD");
  // Its database is another one.
  if (old) Deno.mkdirSync(path("old/.grid"), { recursive: true });
  const before = (pipeline: string): Record<string, Runner> => {
    if (!old) return {};
    for (const name of [pipeline, pipeline.replace("yaml", "jsonl"), "managed.yml"]) {
      Deno.copyFileSync(path(name), path(`old/${name}`));
    }
    Deno.mkdirSync(path("old/code"), { recursive: true });
    Deno.copyFileSync(path("code/work.py"), path("old/code/work.py"));
    const words = gridOf(old)(["run", pipeline, "--quiet", ...managed]);
    return { "an earlier Grid": () => execute(words, { cwd: path("old") }) };
  };
  const dask = daskPython();
  const daskMap = (tasks: string, size: number): Record<string, Runner> =>
    dask ? { "Dask client.map": run([dask, "dask_map.py", tasks, String(size)]) } : {};
  try {
    if (isWanted("many")) {
      await compare(`${MANY.toLocaleString("en")} tiny items`, batch("large.yaml", managed), {
        "by hand, batches of 100": hand("large.jsonl", 100),
        "by hand, batches of 1,000": hand("large.jsonl", 1000),
        "by hand, batches of 5,000": hand("large.jsonl", 5000),
        ...before("large.yaml"),
        "multiprocessing": run(["python3", "pool.py", "large.jsonl", "tiny"]),
        ...daskMap("large.jsonl", 5000),
      });
    }
    if (isWanted("few")) {
      await compare("1,000 tiny items", batch("small.yaml", managed), {
        "by hand, batches of 10": hand("small.jsonl", 10),
        "by hand, batches of 100": hand("small.jsonl", 100),
        "by hand, one task per item": hand("small.jsonl", 1),
        ...daskMap("small.jsonl", 100),
      });
    }
  } finally {
    if (needsRay) await execute(grid(["cluster", "stop", ...managed]), { cwd });
  }
  if (isWanted("embedded")) {
    await compare("embedded, CPU-bound", batch("busy.yaml", ["--config", "embedded.yml"]), {
      "multiprocessing": run(["python3", "pool.py", "busy.jsonl", "busy"]),
    });
  }
}

async function compare(
  what: string,
  grid: Runner,
  others: Readonly<Record<string, Runner>>,
): Promise<void> {
  const runners = new Map(Object.entries({ "grid run": grid, ...others }));
  const times = new Map<string, Measured[]>([...runners.keys()].map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of runners) {
      try {
        times.get(name)?.push(await run());
      } catch (error) {
        if (name === "grid run") throw error;
        // Dask's scheduler lives in its client's process, and loses it where there is too much to do.
        console.log(
          `${what}: ${name} fails, and is left out: ${String(error).trim().split("\n").at(-1)}`,
        );
        runners.delete(name);
        times.delete(name);
      }
    }
  }
  const own = times.get("grid run") ?? [];
  const steps = own.map(({ stepMs = 0 }) => stepMs);
  const peak = Math.max(...own.map(({ peakMb = 0 }) => peakMb));
  for (const [name, measured] of times) {
    const ms = median(measured.map(({ ms }) => ms));
    const seconds = median(measured.map(({ seconds }) => seconds));
    const ratio = median(own.map(({ ms }, at) => ms / (measured[at]?.ms ?? Number.NaN)));
    const work = median(own.map(({ seconds }, at) => seconds / (measured[at]?.seconds ?? NaN)));
    const step = median(steps.map((ms, at) => ms / (measured[at]?.ms ?? Number.NaN)));
    const more = name === "grid run"
      ? `the step ${median(steps).toFixed(0)} ms, at most ${peak.toFixed(0)} MB`
      : `grid ${ratio.toFixed(2)}×, its step ${step.toFixed(2)}×, processors ${work.toFixed(2)}×`;
    const row = `${`${what}: ${name}`.padEnd(46)} ${ms.toFixed(0).padStart(8)} ms`;
    console.log(`${row} ${seconds.toFixed(1).padStart(6)} s of processors   ${more}`);
  }
}

/** Undefined where it is not installed. */
function daskPython(): string | undefined {
  const venv = Deno.env.get("GRID_BENCH_DASK_VENV") ?? "/opt/grid-dask-venv";
  if (existsSync(join(venv, "bin", "dask-worker"))) return join(venv, "bin", "python");
  console.log(`Dask is left out: ${venv} has none (pip install distributed==2025.5.1)`);
  return undefined;
}

async function execute(
  words: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Record<string, string> },
): Promise<Measured> {
  const before = processors.seconds;
  const began = performance.now();
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", PEAK, String(DEADLINE_SECONDS), ...words],
    cwd,
    env,
    stdin: "null",
  }).output();
  const ms = performance.now() - began;
  const seconds = processors.seconds - before;
  if (code !== 0) throw new Error(`${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  const peak = Number(new TextDecoder().decode(stdout).trim().split("\n").at(-1));
  return { ms, seconds, peakMb: peak / 1000 };
}

async function answer(words: readonly string[], cwd: string): Promise<string> {
  const [program = "", ...args] = words;
  const { stdout } = await new Deno.Command(program, { args, cwd, stdin: "null" }).output();
  return new TextDecoder().decode(stdout);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (import.meta.main) {
  using _processors = processors;
  await main();
}
