/**
 * The end of a run: from its last event until the process is gone, 1,000 steps, the whole program with all
 * its reports. `deno task bench report`; rounds by ROUNDS; OLD names a commit that is measured in turns with
 * this build. Promise: ≤ 0.5 times of 5152387. Each runs with the flags that its own task gives it. On a busy
 * machine, both before all others: `chrt -f 50 deno task bench report`.
 *
 * Beside it stand when the last of its files was there, and how many bytes the reports have: what is left
 * goes into closing the store and the shells, and into the end of the process.
 */
import { join } from "node:path";
import { programArgs, REPOSITORY } from "../support/cli.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 5);
const STEPS = 1000;
const OLD = Deno.env.get("OLD");

interface Figures {
  readonly exitMs: number;
  readonly filesMs: number;
  readonly bytes: number;
  readonly wholeMs: number;
}

async function main(): Promise<void> {
  using folder = tempDir();
  const entries = Array.from(
    { length: STEPS },
    (_, at) => `  - { id: s${at}, node: local, run: ":" }\n`,
  );
  Deno.writeTextFileSync(join(folder.path, "p.yaml"), `name: bench\nsteps:\n${entries.join("")}`);
  const older = OLD === undefined ? undefined : await checkout(OLD);
  try {
    const mine: Figures[] = [];
    const theirs: Figures[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (older !== undefined) theirs.push(await measure(folder.path, older));
      mine.push(await measure(folder.path, REPOSITORY));
    }
    show("this build", mine);
    if (OLD === undefined) return;
    show(OLD.slice(0, 7), theirs);
    const ratio = (of: (figures: Figures) => number) =>
      `${(median(mine.map(of)) / median(theirs.map(of))).toFixed(2)}×`;
    console.log(
      `last event to exit ${ratio(({ exitMs }) => exitMs)}, whole run ${
        ratio(({ wholeMs }) => wholeMs)
      }`,
    );
  } finally {
    if (older !== undefined) await git("worktree", "remove", "--force", older);
  }
}

function show(name: string, all: readonly Figures[]): void {
  const of = (value: (figures: Figures) => number) => median(all.map(value)).toFixed(0);
  console.log(
    `${name.padEnd(12)} exit after ${of(({ exitMs }) => exitMs)} ms, files after ${
      of(({ filesMs }) => filesMs)
    } ms, ${of(({ bytes }) => bytes / 1024)} KiB, whole run ${of(({ wholeMs }) => wholeMs)} ms`,
  );
}

/** A project of its own each time: no history, no files that were deleted a moment ago. */
async function measure(pipelines: string, build: string): Promise<Figures> {
  using project = tempDir();
  Deno.copyFileSync(join(pipelines, "p.yaml"), join(project.path, "p.yaml"));
  Deno.mkdirSync(join(project.path, ".grid"));
  const start = Date.now();
  const [run = "", ...own] = programArgs(["run", "p.yaml", "--quiet"]);
  const words = own.filter((word) => !isEngineFlag(word));
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [run, ...engineFlags(build), ...words.map((word) => word.replace(REPOSITORY, build))],
    cwd: project.path,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).output();
  const end = Date.now();
  if (!success) throw new Error("the run failed");
  const runs = join(project.path, ".grid", "runs");
  const [only] = [...Deno.readDirSync(runs)];
  const folder = join(runs, only?.name ?? "");
  const files = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile)
    .map(({ name }) => ({ name, ...Deno.statSync(join(folder, name)) }));
  const last = Deno.readTextFileSync(join(folder, "events.jsonl")).trimEnd().split("\n").at(-1) ??
    "";
  const { at } = JSON.parse(last) as { readonly at: number };
  return {
    exitMs: end - at,
    filesMs: Math.max(...files.map(({ mtime }) => mtime?.getTime() ?? 0)) - at,
    bytes: files.filter(({ name }) => name !== "events.jsonl").reduce(
      (sum, { size }) => sum + size,
      0,
    ),
    wholeMs: end - start,
  };
}

/** How its task, like its launcher, has V8 set. */
function engineFlags(build: string): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(build, "deno.json"))) as {
    readonly tasks: { readonly grid: { readonly command: string } };
  };
  return tasks.grid.command.split(" ").filter(isEngineFlag);
}

function isEngineFlag(word: string): boolean {
  return word.startsWith("--v8-flags=");
}

async function checkout(commit: string): Promise<string> {
  const place = Deno.makeTempDirSync({ prefix: "grid-bench-" });
  await git("worktree", "add", "--detach", place, commit);
  return place;
}

async function git(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("git", { args, cwd: REPOSITORY }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (import.meta.main) await main();
