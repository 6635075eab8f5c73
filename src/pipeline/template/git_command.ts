/** One git command, that never asks a question and never takes for ever. */
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { quote } from "../../core/shell.ts";

/** A slow server must not hold `grid validate` for ever. */
const TIMEOUT_MS = 60_000;
/** So that ssh itself, which knows what it waits for, gives up first. */
const CONNECT_SECONDS = 20;

const NEEDS_SSH: ReadonlySet<string> = new Set(["fetch", "ls-remote"]);

export interface GitOptions {
  readonly repository?: string;
  /** Goes on "Cannot read the template: ". */
  readonly message: string;
}

/** What git printed. @throws {GridError} `usage` with git's own words */
export async function git(args: readonly string[], options: GitOptions): Promise<string> {
  return new TextDecoder().decode(await gitBytes(args, options));
}

/** The same, byte for byte. @throws {GridError} `usage` with git's own words */
export async function gitBytes(
  args: readonly string[],
  { repository, message }: GitOptions,
): Promise<Uint8Array> {
  const { code, bytes, stderr } = await runGit(args, repository);
  if (code === 0) return bytes;
  throw gitFailure(message, hintOf(stderr));
}

export function gitFailure(message: string, hint?: string): GridError {
  return new GridError({ code: "usage", message, hint });
}

export interface GitResult {
  readonly code: number;
  readonly stdout: string;
  /** `stdout` byte for byte. */
  readonly bytes: Uint8Array;
  readonly stderr: string;
}

export async function runGit(args: readonly string[], repository?: string): Promise<GitResult> {
  const where = repository === undefined ? [] : ["--git-dir", repository];
  const late = () => gitFailure(`git ${args[0]} took more than ${TIMEOUT_MS / 1000}s`);
  const needsSsh = NEEDS_SSH.has(args[0] ?? "");
  const env: Record<string, string> = needsSsh ? { GIT_SSH_COMMAND: await sshCommand() } : {};
  try {
    return await withDeadline(
      (signal) => output([...where, ...args], { env, signal }),
      { ms: TIMEOUT_MS, error: late },
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw gitFailure("git is not installed", "install git, or copy the template into the project");
  }
}

interface OutputOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

async function output(
  args: readonly string[],
  { env = {}, signal }: OutputOptions,
): Promise<GitResult> {
  const { code, stdout, stderr } = await new Deno.Command("git", {
    args: [...args],
    // Never ask on the terminal; only these ways, whatever a repository redirects to.
    env: { GIT_TERMINAL_PROMPT: "0", GIT_ALLOW_PROTOCOL: "file:ssh:https", LC_ALL: "C", ...env },
    ...(signal && { signal }),
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), bytes: stdout, stderr: decode(stderr) };
}

/** The ssh that git would use by itself, told to ask nothing. */
async function sshCommand(): Promise<string> {
  const program = Deno.env.get("GIT_SSH");
  const own = Deno.env.get("GIT_SSH_COMMAND") ??
    (program === undefined ? await configuredSsh() : quote(program));
  return `${own} -o BatchMode=yes -o ConnectTimeout=${CONNECT_SECONDS}`;
}

async function configuredSsh(): Promise<string> {
  const { stdout } = await output(["config", "--get", "core.sshCommand"], {});
  return stdout.trim() === "" ? "ssh" : stdout.trim();
}

/** What git says last when the way to a repository failed; the reason stands in front of it. */
const NO_WAY = /^fatal: (Could not read from remote repository|the remote end hung up)/;
const WAYS_OUT: readonly (readonly [RegExp, string])[] = [
  [/host key verification/i, "compare the host's key and add it to known_hosts: ssh once by hand"],
  [/permission denied/i, "git must get in by a key without a question: an agent, or ~/.ssh/config"],
];

function hintOf(stderr: string): string | undefined {
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => /\w/.test(line));
  const end = lines.findIndex((line) => NO_WAY.test(line));
  const reason = end > 0 ? lines[end - 1] : lines.find((line) => /fatal|error/i.test(line));
  const said = reason ?? lines[0];
  if (said === undefined) return undefined;
  const way = WAYS_OUT.find(([words]) => words.test(said))?.[1];
  return `git says: ${said}${way === undefined ? "" : `; ${way}`}`;
}
