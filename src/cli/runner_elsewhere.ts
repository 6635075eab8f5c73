/** `grid run …` or `grid resume …` as a process of its own, and how its run is called. */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { newRunId, randomWord } from "../core/ids.ts";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../core/private_modes.ts";
import type { Store } from "../store/store.ts";
import { readProblem } from "../document/problem_record.ts";
import { harmlessText } from "../terminal/harmless.ts";
import {
  PROBLEM_VARIABLE,
  RESTART_VARIABLE,
  RUN_ID_VARIABLE,
  SECRETS_VARIABLE,
} from "./context.ts";
import { spawnGrid } from "./own_program.ts";

/** A runner that has not journaled its beginning by then stands still, or its machine does. */
const BEGIN_MS = 60_000;
const LOOK_MS = 50;

export interface Begun {
  readonly run: string;
  /** Of the runner. */
  readonly pid: number;
}

export interface NotBegun {
  readonly run: undefined;
  /** What kept the runner from it. */
  readonly problem: GridError;
}

export interface RunnerOptions {
  /** Absolute; its `.grid` is there. */
  readonly project: string;
  readonly store: Store;
  /** Where it starts. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Id of the run; default: a new one. Of two runners with the same id one runs. */
  readonly run?: string | undefined;
  /** A restart of this machine goes on with it, until it ends. */
  readonly isRestarted?: boolean;
  /** Secrets by name that the runner is given; default: it reads them itself. */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
}

/**
 * Resolves once the run has begun and is journaled, or its runner has ended before that. What the runner
 * has to say beside its journal, such as what its disk refuses, lies with the run: `runner.log`.
 *
 * @throws {GridError} `conflict` where neither is so after a minute
 */
export async function startRunner(
  args: readonly string[],
  options: RunnerOptions,
): Promise<Begun | NotBegun> {
  const {
    project,
    store,
    cwd,
    env,
    signal,
    secrets,
    isRestarted = false,
    run = newRunId(systemClock.now()),
  } = options;
  const output = join(project, ".grid", `runner_${run}_${randomWord(12)}.out`);
  const problemFile = problemFileOf(output);
  Deno.writeTextFileSync(problemFile, "", { createNew: true, mode: PRIVATE_FILE });
  const child = spawnGrid(["--quiet", "--color", "never", ...args], {
    cwd,
    env: {
      ...env,
      [RUN_ID_VARIABLE]: run,
      [PROBLEM_VARIABLE]: problemFile,
      ...isRestarted && { [RESTART_VARIABLE]: run },
      ...secrets && { [SECRETS_VARIABLE]: "stdin" },
    },
    output,
    input: secrets && JSON.stringify(secrets),
  });
  let code: number | undefined;
  void child.status.then((status) => code = status.code);
  for (let waitedMs = 0; waitedMs < BEGIN_MS; waitedMs += LOOK_MS) {
    // Asked in this order: a short run may be over at once.
    const ended = code;
    if (store.row(run) !== undefined) {
      keepOutput(output, { project, run });
      return { run, pid: child.pid };
    }
    if (ended !== undefined) {
      const problem = problemOf(output, ended);
      rmSync(output);
      rmSync(problemFile);
      return { run: undefined, problem };
    }
    await systemClock.sleep(LOOK_MS, { signal });
  }
  throw new GridError({
    code: "conflict",
    message: `Cannot say yet whether run ${run} has begun: its runner, process ${child.pid}, ` +
      `is silent for ${BEGIN_MS / 1000} s`,
    hint: `look: grid runs; what it says: ${output}`,
  });
}

const problemFileOf = (output: string) => `${output}.problem`;

/** Of what a runner says. */
const MOST_WORDS = 2000;
/** The codes of processes that a signal ended begin behind it. */
const SIGNALLED = 128;

/** One that was ended, or broke, may have left nothing but words. */
function problemOf(output: string, exitCode: number): GridError {
  const left = Deno.readTextFileSync(problemFileOf(output));
  const problem = readProblem(parsed(left), { clean: harmlessText });
  if (problem !== undefined) return problem;
  const said = harmlessText(Deno.readTextFileSync(output).trim().slice(-MOST_WORDS));
  return new GridError({
    code: exitCode > SIGNALLED ? "terminated" : "bug",
    message: `Cannot begin the run: its runner ended with exit code ${exitCode} ` +
      (said === "" ? "and without a word" : `and said:\n${said}`),
  });
}

/** Undefined for what its writer did not finish. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Puts with their runs what runners said that were begun by somebody who was ended meanwhile. */
export function keepLeftOutput(project: string, store: Pick<Store, "row">): void {
  for (const { name } of Deno.readDirSync(join(project, ".grid"))) {
    const run = /^runner_(\d{8}-\d{6}-\w+)_\w+\.out$/.exec(name)?.[1];
    if (run === undefined || store.row(run) === undefined) continue;
    keepOutput(join(project, ".grid", name), { project, run });
  }
}

function keepOutput(
  output: string,
  { project, run }: { readonly project: string; readonly run: string },
): void {
  const folder = join(project, ".grid", "runs", run);
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  rmSync(problemFileOf(output), { force: true });
  try {
    renameSync(output, join(folder, "runner.log"));
  } catch (error) {
    // Another process that looks after the same schedules was faster.
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
