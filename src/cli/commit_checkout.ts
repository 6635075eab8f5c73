/**
 * A commit of the project's repository in a folder of its own, as a clone that borrows all objects: with an
 * index, since what git tracks travels whatever is ignored, and as a checkout makes the files, since an
 * archive leaves out what `export-ignore` says. Submodules come from where they are checked out here.
 */
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { GridError } from "../core/errors.ts";
import { ownGit } from "../sync/own_git.ts";
import { topOf } from "../sync/git_facts.ts";

export interface CommitCheckout extends Disposable {
  /** Absolute: the project's folder in it. */
  readonly code: string;
}

export interface CommitCheckoutOptions {
  /** Absolute. */
  readonly project: string;
  readonly signal: AbortSignal;
}

/** @throws {GridError} `usage` where the commit cannot be had; a clause */
export async function checkOutCommit(
  commit: string,
  { project, signal }: CommitCheckoutOptions,
): Promise<CommitCheckout> {
  const top = topOf(project);
  if (top === undefined) throw cannot("the project is in no git repository any more");
  const folder = Deno.makeTempDirSync({ prefix: "grid-again-" });
  const dispose = () => Deno.removeSync(folder, { recursive: true });
  try {
    const place = join(folder, basename(top) || "project");
    await borrow(commit, { top, place, signal });
    return { code: join(place, relative(top, project)), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

interface BorrowOptions {
  /** Absolute, of the repository that has the commit. */
  readonly top: string;
  /** Absolute; not there yet, or empty. */
  readonly place: string;
  readonly signal: AbortSignal;
}

async function borrow(commit: string, { top, place, signal }: BorrowOptions): Promise<void> {
  const git = async (folder: string, ...args: string[]) => {
    const { code, stdout, stderr } = await ownGit(args, { folder, signal }) ??
      { code: 128, stdout: new Uint8Array(), stderr: new Uint8Array() };
    if (code === 0) return new TextDecoder().decode(stdout);
    const words = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    throw cannot(`commit ${commit.slice(0, 7)} cannot be read: ${words}`);
  };
  await git(top, "clone", "--quiet", "--shared", "--no-checkout", "--", top, place);
  await git(place, "-c", "core.hooksPath=/dev/null", "checkout", "--quiet", "--detach", commit);
  const excludes = resolve(top, (await git(top, "rev-parse", "--git-path", "info/exclude")).trim());
  if (existsSync(excludes)) {
    const own = join(place, ".git", "info", "exclude");
    mkdirSync(dirname(own), { recursive: true });
    copyFileSync(excludes, own);
  }
  for (const [path, inner] of submodulesOf(await git(place, "ls-files", "-s", "-z"))) {
    const here = join(top, path);
    // One that is not checked out here is an empty folder, here as there.
    if (topOf(here) !== here) continue;
    await borrow(inner, { top: here, place: join(place, path), signal });
  }
}

/** Path and commit, of an index as `git ls-files -s -z` shows it. */
function submodulesOf(index: string): [string, string][] {
  return index.split("\0").flatMap((line): [string, string][] => {
    const [, commit, path] = /^160000 ([0-9a-f]+) \d\t(.+)$/s.exec(line) ?? [];
    return commit === undefined || path === undefined ? [] : [[path, commit]];
  });
}

function cannot(message: string): GridError {
  return new GridError({ code: "usage", message });
}
