/** Code hosts know files by their way from the root of the repository, wherever Grid was called. */
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Place } from "../core/errors.ts";
import type { Diagnostic } from "../document/diagnostic.ts";

/** Where CI systems check a repository out. */
const CHECKOUTS = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"];

export interface FromFolder {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The same mistakes with paths from the repository's root; a file outside keeps its own. */
export function fromRepository(
  diagnostics: readonly Diagnostic[],
  { cwd, env }: FromFolder,
): readonly Diagnostic[] {
  const moved = placesFromRepository({ cwd, env });
  return diagnostics.map((diagnostic) => ({
    ...diagnostic,
    place: moved(diagnostic.place),
    ...(diagnostic.usedAt && { usedAt: diagnostic.usedAt.map(moved) }),
  }));
}

/** Turns one place into the same from the repository's root. */
export function placesFromRepository({ cwd, env }: FromFolder): (place: Place) => Place {
  const root = repositoryOf(cwd, env);
  if (root === undefined) return (place) => place;
  return (place) => {
    const path = relative(root, resolve(cwd, place.file));
    if (path === "" || path.startsWith("..")) return place;
    return { ...place, file: path.split(sep).join("/") };
  };
}

function repositoryOf(cwd: string, env: FromFolder["env"]): string | undefined {
  const checkout = CHECKOUTS.map((name) => env[name])
    .find((path) => path && !relative(path, cwd).startsWith(".."));
  if (checkout) return checkout;
  return repositoryAround(cwd);
}

/** The root of the repository, or of the worktree, that a folder lies in. */
export function repositoryAround(start: string): string | undefined {
  for (let folder = start;; folder = dirname(folder)) {
    try {
      Deno.statSync(join(folder, ".git")); // a folder, or a file in a worktree or submodule
      return folder;
    } catch {
      // Not there, or not ours to see: no repository either way.
    }
    if (dirname(folder) === folder) return undefined;
  }
}
