/** Where the repository around a folder keeps what it knows. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { GridError } from "../core/errors.ts";
import { thrownWords } from "../core/refusal.ts";

export function findRepository(source: string): string | undefined {
  for (let folder = source;; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** In a worktree or a submodule `.git` is a file that names the real folder. */
export function ownGitFolder(root: string): string {
  const path = join(root, ".git");
  if (statSync(path).isDirectory()) return path;
  const named = /^gitdir: (.+)$/m.exec(readFileSync(path, "utf8"))?.[1];
  return named === undefined ? path : resolve(root, named);
}

/** What all work trees of a repository share. */
export function gitFolder(root: string): string {
  const folder = ownGitFolder(root);
  const common = readOptional(join(folder, "commondir"))?.trim();
  return common === undefined ? folder : resolve(folder, common);
}

/** Undefined where there is no such file. @throws {GridError} `sync` where it cannot be read */
export function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw unreadable(path, error);
  }
}

export function unreadable(path: string, cause: unknown): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot read the ignore file "${path}": ${thrownWords(cause)}`,
    hint: "Correct the path, or make the file readable",
    cause,
  });
}
