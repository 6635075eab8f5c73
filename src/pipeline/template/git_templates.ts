import { join } from "node:path";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../../core/private_modes.ts";
import { git, gitBytes, gitFailure, runGit } from "./git_command.ts";
import type { GitReference } from "./git_reference.ts";
import { TemplateLock } from "./template_lock.ts";

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
  async read(reference: GitReference): Promise<Uint8Array> {
    const { url, ref, path } = reference;
    const repository = await this.#repository(url);
    const key = `${url}@${ref}`;
    const pinned = await this.#lock.commitOf(key);
    const commit = pinned ?? await resolve(repository, { url, ref });
    if (pinned !== undefined && !await has(repository, pinned)) {
      await fetchCommit(repository, { url, commit: pinned });
    }
    const content = await gitBytes(["show", `${commit}:${path}`], {
      repository,
      message: `no file ${path} at ${ref} (${commit.slice(0, 12)})`,
    });
    if (pinned === undefined) await this.#lock.pin(key, commit);
    return content;
  }

  /** One bare repository per address. */
  async #repository(url: string): Promise<string> {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url));
    const folder = join(this.#cache, new Uint8Array(bytes).toHex().slice(0, 24));
    await Deno.mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
    await ignoreByGit(this.#cache);
    await git(["init", "--quiet", "--bare", "--template=", "--shared=0600", folder], {
      message: "cannot make the cache",
    });
    return folder;
  }
}

/** Nothing below it is for the project's own repository, also before anything was run there. */
async function ignoreByGit(folder: string): Promise<void> {
  const path = join(folder, ".gitignore");
  await Deno.writeTextFile(path, "*\n", { createNew: true, mode: PRIVATE_FILE }).catch((error) => {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  });
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
  const { code } = await runGit(["cat-file", "-e", `${commit}^{commit}`], repository);
  return code === 0;
}

/** Not every server hands out a bare commit; then everything is fetched, which contains it. */
async function fetchCommit(
  repository: string,
  { url, commit }: { readonly url: string; readonly commit: string },
): Promise<void> {
  const { code } = await runGit(
    ["fetch", "--quiet", "--no-tags", "--depth=1", url, commit],
    repository,
  );
  if (code === 0) return;
  const message = `cannot fetch the pinned commit ${commit.slice(0, 12)} from ${url}`;
  await git(["fetch", "--quiet", url, "+refs/*:refs/grid/*"], { repository, message });
  if (!await has(repository, commit)) {
    throw gitFailure(
      message,
      "the repository no longer has it; remove its line from grid.lock.json",
    );
  }
}
