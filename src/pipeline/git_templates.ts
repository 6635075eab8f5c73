import { join } from "node:path";
import { withDeadline } from "../core/deadline.ts";
import { GridError } from "../core/errors.ts";
import type { GitReference } from "./git_reference.ts";
import { TemplateLock } from "./template_lock.ts";

/** A slow server must not hold `grid validate` for ever. */
const FETCH_TIMEOUT_MS = 60_000;

/**
 * Templates out of git repositories, each branch or tag pinned to the commit that it meant when it
 * was first used. What was fetched once is read from the project's cache, without a network.
 */
export class GitTemplates {
  readonly #lock: TemplateLock;
  readonly #cache: string;

  constructor(project: string) {
    this.#lock = new TemplateLock(project);
    this.#cache = join(project, ".grid", "cache", "templates");
  }

  /** @throws {GridError} `usage` where git, the repository, the ref or the file is missing */
  async read(reference: GitReference): Promise<string> {
    const { url, ref, path } = reference;
    const repository = await this.#repository(url);
    const key = `${url}@${ref}`;
    const pinned = await this.#lock.commitOf(key);
    const commit = pinned ?? await resolve(repository, { url, ref });
    if (pinned !== undefined && !await has(repository, pinned)) {
      await fetchCommit(repository, { url, commit: pinned });
    }
    const text = await git(["show", `${commit}:${path}`], {
      repository,
      message: `no file ${path} at ${ref} (${commit.slice(0, 12)})`,
    });
    if (pinned === undefined) await this.#lock.pin(key, commit);
    return text;
  }

  /** One bare repository per address. */
  async #repository(url: string): Promise<string> {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url));
    const folder = join(this.#cache, new Uint8Array(bytes).toHex().slice(0, 24));
    await Deno.mkdir(folder, { recursive: true });
    await git(["init", "--quiet", "--bare", folder], { message: "cannot make the cache" });
    return folder;
  }
}

async function resolve(
  repository: string,
  { url, ref }: { readonly url: string; readonly ref: string },
): Promise<string> {
  const message = `cannot fetch ${ref} from ${url}`;
  await git(["fetch", "--quiet", "--no-tags", "--depth=1", url, ref], { repository, message });
  return (await git(["rev-parse", "FETCH_HEAD^{commit}"], { repository, message })).trim();
}

async function has(repository: string, commit: string): Promise<boolean> {
  const { code } = await run(["cat-file", "-e", `${commit}^{commit}`], repository);
  return code === 0;
}

/** Not every server hands out a bare commit; then everything is fetched, which contains it. */
async function fetchCommit(
  repository: string,
  { url, commit }: { readonly url: string; readonly commit: string },
): Promise<void> {
  const { code } = await run(
    ["fetch", "--quiet", "--no-tags", "--depth=1", url, commit],
    repository,
  );
  if (code === 0) return;
  const message = `cannot fetch the pinned commit ${commit.slice(0, 12)} from ${url}`;
  await git(["fetch", "--quiet", url, "+refs/*:refs/grid/*"], { repository, message });
  if (!await has(repository, commit)) {
    throw failure(message, "the repository no longer has it; remove its line from grid.lock.json");
  }
}

interface GitOptions {
  readonly repository?: string;
  /** Goes on "Cannot read the template: ". */
  readonly message: string;
}

async function git(args: readonly string[], { repository, message }: GitOptions): Promise<string> {
  const { code, stdout, stderr } = await run(args, repository);
  if (code === 0) return stdout;
  const reason = stderr.trim().split("\n").find((line) => /fatal|error/i.test(line)) ??
    stderr.trim();
  throw failure(message, reason === "" ? undefined : `git says: ${reason}`);
}

interface GitResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], repository?: string): Promise<GitResult> {
  const where = repository === undefined ? [] : ["--git-dir", repository];
  const late = () => failure(`git ${args[0]} took more than ${FETCH_TIMEOUT_MS / 1000}s`);
  try {
    return await withDeadline(async (signal) => {
      const { code, stdout, stderr } = await new Deno.Command("git", {
        args: [...where, ...args],
        // Never ask on the terminal; only these ways, whatever a repository redirects to.
        env: {
          GIT_TERMINAL_PROMPT: "0",
          GIT_SSH_COMMAND: "ssh -o BatchMode=yes",
          GIT_ALLOW_PROTOCOL: "file:ssh:https",
          LC_ALL: "C",
        },
        signal,
      }).output();
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, stdout: decode(stdout), stderr: decode(stderr) };
    }, { ms: FETCH_TIMEOUT_MS, error: late });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw failure("git is not installed", "install git, or copy the template into the project");
  }
}

function failure(message: string, hint?: string): GridError {
  return new GridError({ code: "usage", message, hint });
}
