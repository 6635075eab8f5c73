/** Starts an installed Grid as its user's shell does: with an environment that says nothing of this machine. */
import { join } from "node:path";
import { denoDir, type Install } from "./installs.ts";
import { findProgram } from "./requires.ts";
import { writeProgram } from "./program_file.ts";

export interface StartedInstall {
  readonly install: Install;
  /** Comes with its own Deno: the one on PATH must not be taken. */
  readonly isWhole: boolean;
  /** The project that it is called in. */
  readonly folder: string;
  /** Words before every command, which becomes it; default none. */
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface CallOptions {
  /** The folder inside the project; default the project itself. */
  readonly where?: string;
  readonly within?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly without?: readonly string[];
  /** What is started in the place of Grid, with Grid on its PATH. */
  readonly program?: string;
}

export async function call(
  started: StartedInstall,
  args: readonly string[],
  options: CallOptions = {},
) {
  const { code, stdout, stderr } = await commandOf(started, args, options).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

export function commandOf(
  started: StartedInstall,
  args: readonly string[],
  { where = ".", within = started.within ?? [], env, without = [], program }: CallOptions = {},
): Deno.Command {
  const { install, isWhole, folder } = started;
  const own: Record<string, string> = {
    PATH: [
      ...(program === undefined ? [] : [join(install.grid, "..")]),
      // A shim of `deno install -g` starts the one on PATH.
      isWhole ? trap(install) : join(Deno.execPath(), ".."),
      "/usr/sbin:/usr/bin:/sbin:/bin",
    ].join(":"),
    HOME: install.home,
    TMPDIR: emptyFolder(install, "tmp"),
    NO_COLOR: "1",
    GRID_TEST_MARK: folder,
    ...(isWhole ? {} : { GRID_DENO: Deno.execPath(), DENO_DIR: denoDir() }),
    ...started.env,
    ...env,
  };
  const variables = Object.entries(own).filter(([name]) => !without.includes(name));
  const words = [...within, program ?? install.grid, ...args];
  return new Deno.Command(findProgram(words[0] ?? "") ?? words[0] ?? "", {
    args: words.slice(1),
    cwd: join(folder, where),
    clearEnv: true,
    env: Object.fromEntries(variables),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** A folder with a Deno that must not be taken: the whole ways have their own. */
function trap(install: Install): string {
  const folder = emptyFolder(install, "trap");
  writeProgram(join(folder, "deno"), "#!/bin/sh\nexit 99\n");
  return folder;
}

/** Beside its HOME. */
function emptyFolder({ home }: Install, name: string): string {
  const folder = join(home, "..", name);
  Deno.mkdirSync(folder, { recursive: true });
  return folder;
}
