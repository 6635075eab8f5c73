/** Runs the program as a process, the way its users do, in a project folder of its own. */
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { quoteAll } from "../../src/core/shell.ts";
import type { Account } from "./requires.ts";
import { type TempDir, tempDir } from "./temp_dir.ts";

export const REPOSITORY = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the program if it takes longer; a hang must not stop the suite. Default 180 s. */
  readonly timeoutMs?: number;
  /** A file that takes what a started program prints, to be read while it runs. */
  readonly stdoutTo?: string;
  /** Whose process it is; `cwd` is its home. Needs the parts `root` and `setpriv`. */
  readonly account?: Account | undefined;
  /** Words before the program, which becomes it in the end; default none. */
  readonly within?: readonly string[];
}

/** Of the engine's memory, and that it compiles what it reads as a whole, as `bin/grid` sets them. */
export const V8_FLAGS =
  "--v8-flags=--min-semi-space-size=12,--max-semi-space-size=12,--heap-growing-percent=40,--no-lazy";

/** The arguments of `deno` that start the program from source, as `bin/grid` does. */
export function programArgs(args: readonly string[]): string[] {
  const config = join(REPOSITORY, "deno.json");
  const main = join(REPOSITORY, "src", "cli", "main.ts");
  return ["run", V8_FLAGS, "-A", "--quiet", "--no-check", "--config", config, main, ...args];
}

/** `await grid(["run", "pipeline.yaml"], { cwd: project.path })` */
export async function grid(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const [program = "", ...words] = asAccount([Deno.execPath(), ...programArgs(args)], options);
  return resultOf(
    await new Deno.Command(program, {
      args: words,
      cwd: options.cwd,
      env: environmentOf(options),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(options.timeoutMs ?? 180_000),
    }).output(),
  );
}

/** A program under way, killed at the end of its block unless it has ended by itself. */
export interface RunningGrid extends AsyncDisposable {
  readonly pid: number;
  /** Everything it printed, once it has ended. A signal counts as 128 + its number. */
  readonly ended: Promise<CliResult>;
  isOver(): boolean;
  signal(name: Deno.Signal): void;
  /** Kill -9, as by the out-of-memory killer. */
  kill(): Promise<void>;
}

/** `await using run = startGrid(["run", "pipeline.yaml"], { cwd: project.path })` */
export function startGrid(args: readonly string[], options: CliOptions): RunningGrid {
  return startProgram([Deno.execPath(), ...programArgs(args)], options);
}

/** With a terminal of its own, whose screen is `stdout`. Needs the part `script`. */
export function startInTerminal(args: readonly string[], options: CliOptions): RunningGrid {
  // Not every shell gives its place to its last command; a signal to the shell would end only that.
  const command = `exec ${quoteAll([Deno.execPath(), ...programArgs(args)])}`;
  return startProgram(
    ["script", "--quiet", "--return", "--command", command, "/dev/null"],
    { ...options, env: { SHELL: "/bin/sh", ...options.env } },
  );
}

/** The other account may read what this one may: sources, and what Deno made of them. */
function asAccount(
  program: readonly string[],
  { account, within = [] }: CliOptions,
): readonly string[] {
  const words = [...within, ...program];
  if (account === undefined) return words;
  const { uid, gid } = account;
  const right = "+dac_read_search";
  // Without this bit access(2) would not know of the right.
  const bit = "--securebits=+no_setuid_fixup";
  const who = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", bit];
  return ["setpriv", ...who, `--inh-caps=${right}`, `--ambient-caps=${right}`, "--", ...words];
}

function environmentOf({ cwd, env, account }: CliOptions): Record<string, string> {
  const own = { NO_COLOR: "1", ...env };
  if (account === undefined) return own;
  const denoDir = Deno.env.get("DENO_DIR") ?? join(homedir(), ".cache", "deno");
  return { HOME: cwd, USER: account.name, LOGNAME: account.name, DENO_DIR: denoDir, ...own };
}

function startProgram(words: readonly string[], options: CliOptions): RunningGrid {
  const [program = "", ...args] = asAccount(printingTo(options.stdoutTo, words), options);
  const child = new Deno.Command(program, {
    args,
    cwd: options.cwd,
    env: environmentOf(options),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let over = false;
  const ended = child.output().then((output) => {
    over = true;
    return resultOf(output);
  });
  const kill = async () => {
    if (!over) killIfThere(child);
    await ended;
  };
  return {
    pid: child.pid,
    ended,
    isOver: () => over,
    signal: (name) => child.kill(name),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

function printingTo(file: string | undefined, words: readonly string[]): readonly string[] {
  if (file === undefined) return words;
  Deno.writeTextFileSync(file, "");
  return ["sh", "-c", 'out=$1; shift; exec "$@" >"$out"', "sh", file, ...words];
}

/** It may have ended a moment ago. */
export function killIfThere(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

function resultOf({ code, stdout, stderr }: Deno.CommandOutput): CliResult {
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Waits until this is so, in front of a process that may be slow on a busy machine. */
export async function until(
  condition: () => boolean,
  { what = "it", seconds = 120 }: { readonly what?: string; readonly seconds?: number } = {},
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A folder with these files, gone at the end of the block. */
export function project(files: Readonly<Record<string, string>>): TempDir {
  const folder = tempDir();
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder.path, name);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, text);
  }
  // Marks the folder as a project, so that a parent's is not taken.
  Deno.mkdirSync(join(folder.path, ".grid"), { recursive: true });
  return folder;
}
