/** This program once more, as a process that goes on without us. */
import { existsSync } from "node:fs";
import { GridError } from "../core/errors.ts";
import { PRIVATE_FILE } from "../core/private_modes.ts";

export interface SpawnOptions {
  /** Where it starts. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Takes all that it prints; made anew. */
  readonly output: string;
  /** For it to read; default: nothing. */
  readonly input?: string | undefined;
}

/** Behind it come the words for `grid`. Its own session: no Ctrl-C or hang-up of ours reaches it. */
export function spawnGrid(
  args: readonly string[],
  { cwd, env, output, input }: SpawnOptions,
): Deno.ChildProcess {
  Deno.writeTextFileSync(output, "", { createNew: true, mode: PRIVATE_FILE });
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", 'out=$1; shift; exec "$@" >"$out" 2>&1', "sh", output, ...ownCommand(), ...args],
    cwd,
    env: { ...ownCache(), ...env },
    clearEnv: true,
    stdin: input === undefined ? "null" : "piped",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  if (input !== undefined) give(child, input);
  child.unref();
  return child;
}

/** One that ends before it has read all says why itself. */
function give({ stdin }: Deno.ChildProcess, input: string): void {
  const writer = stdin.getWriter();
  writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
}

/** As we were started ourselves, without the words for `grid`. */
export function ownCommand(): string[] {
  const line = ownLine();
  if (line !== undefined) {
    return [Deno.execPath(), ...line.slice(1, line.length - Deno.args.length)];
  }
  if (!Deno.mainModule.startsWith("file:")) {
    throw new GridError({
      code: "usage",
      message: "Cannot start a runner: this Grid does not know how it was started",
      hint: "resume in a terminal: grid resume",
    });
  }
  return [Deno.execPath(), "run", "--quiet", "--allow-all", Deno.mainModule];
}

/** An installed Grid keeps beside it what Deno compiles, as its launcher says; see `context.ts`. */
export function ownCache(): Record<string, string> {
  const folder = import.meta.dirname?.replace(/\/src\/cli$/, "/cache");
  return folder !== undefined && existsSync(folder) ? { DENO_DIR: folder } : {};
}

/** Undefined where the system does not tell. */
function ownLine(): readonly string[] | undefined {
  try {
    return Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1);
  } catch {
    return undefined; // no /proc
  }
}
