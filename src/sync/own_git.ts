/**
 * git, asked of the repository that a project lies in, and of no other. A folder that came from a node may
 * look like a repository without a `.git`, and git would run what the settings in it name.
 */
import { topOf } from "./git_facts.ts";

/** What of ours would lead git elsewhere: `git rev-parse --local-env-vars`, without settings. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_DIR",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_WORK_TREE",
]);
/** https://git-scm.com/docs/git-config: found by a `.git` only, and no program that watches files. */
const SETTINGS = ["safe.bareRepository=explicit", "core.fsmonitor=false"];

export interface OwnGitOptions {
  /** Absolute; somewhere in the repository. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Runs `git ARGS` at the top of the repository around a folder. It never asks, and takes no locks.
 *
 * @returns undefined where there is no repository
 * @throws {Deno.errors.NotFound} where there is no git
 */
export async function ownGit(
  args: readonly string[],
  { folder, signal }: OwnGitOptions,
): Promise<Deno.CommandOutput | undefined> {
  const top = topOf(folder);
  if (top === undefined) return undefined;
  const own = Object.entries(Deno.env.toObject()).filter(([name]) => !ELSEWHERE.has(name));
  return await new Deno.Command("git", {
    args: ["-C", top, ...SETTINGS.flatMap((setting) => ["-c", setting]), ...args],
    clearEnv: true,
    env: {
      ...Object.fromEntries(own),
      GIT_OPTIONAL_LOCKS: "0",
      GIT_TERMINAL_PROMPT: "0",
      LC_ALL: "C",
    },
    stdin: "null",
    signal,
  }).output();
}
