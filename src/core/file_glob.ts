/** Globs that name files of a project: below its folder, beside it (`../`), or from the root (`/`). */
import { expandBraces } from "./brace.ts";
import { firstPlaces, type GlobParts, nextPlaces, parsePart } from "./glob.ts";
import { GlobFault } from "./glob_fault.ts";

/** One of the patterns that a glob stands for. */
export interface FileGlob {
  /** What comes before the first name: nothing, `/`, or some `../`. */
  readonly base: string;
  readonly parts: GlobParts;
}

/**
 * A pattern that ends in `/` means folders only, and so none.
 *
 * @throws {GlobFault}
 */
export function parseFileGlob(pattern: string): readonly FileGlob[] {
  refuseChoices(pattern);
  return expandBraces(pattern).flatMap((text) => {
    if (text === "" || text.endsWith("/")) return [];
    const { base, names } = shortest(text.startsWith("/"), text.split("/"));
    return names.length === 0 ? [] : [{ base, parts: names.map(parsePart) }];
  });
}

/** Whether the path is one that the glob means. */
export function isMeant(globs: readonly FileGlob[], path: string): boolean {
  const { base, names } = shortest(path.startsWith("/"), path.split("/"));
  return globs.some((glob) => {
    if (glob.base !== base) return false;
    let places = firstPlaces(glob.parts);
    for (const name of names) {
      places = nextPlaces(glob.parts, places, name);
      if (places.size === 0) return false;
    }
    return places.has(glob.parts.length);
  });
}

/** Without `.`, and `..` only at the beginning. */
function shortest(
  isFromRoot: boolean,
  all: readonly string[],
): { readonly base: string; readonly names: readonly string[] } {
  const names: string[] = [];
  let base = isFromRoot ? "/" : "";
  for (const name of all) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.at(-1) === "**") {
      throw new GlobFault('".." after "**" is above no folder in particular', "name the folder");
    } else if (names.pop() === undefined && !isFromRoot) base += "../";
  }
  return { base, names };
}

/** Other tools' `@(a|b)` would be a name here, which nobody has. */
function refuseChoices(pattern: string): void {
  const found = /(?<!\\)[@?*+!]\([^/)]*\)/.exec(pattern);
  if (found === null) return;
  throw new GlobFault(
    `${found[0].slice(0, 2)}…) means nothing here`,
    "write {a,b} for a choice, and \\( for the sign itself",
  );
}
