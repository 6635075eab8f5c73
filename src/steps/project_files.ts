/** Finds the files that globs mean. */
import type { Dirent } from "node:fs";
import { resolve } from "node:path";
import { type FileGlob, isMeant, parseFileGlob } from "../core/file_glob.ts";
import { firstPlaces, type GlobPlaces, nextPlaces, pastStars } from "../core/glob.ts";
import { readGlob } from "../core/glob_fault.ts";
import { nodeFs } from "../core/node_builtins.ts";

/** What is still to be found below a folder. */
interface Wish {
  readonly glob: FileGlob;
  readonly places: GlobPlaces;
}

interface Entry {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
}

/**
 * Sorted; relative to `project`, or absolute where the pattern is. A link to a file counts as the file; one
 * to a folder is followed only where a pattern has its name. What cannot be read holds nothing.
 *
 * @throws {GridError} `step-failed` for what is no glob
 */
export function findFiles(patterns: readonly string[], project: string): string[] {
  const found = new Set<string>();
  const wishes = patterns.flatMap(parse)
    .map((glob): Wish => ({ glob, places: firstPlaces(glob.parts) }));
  const pending = [...Map.groupBy(wishes, ({ glob }) => glob.base)];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [folder, wishes] = next;
    for (const entry of entriesOf(resolve(project, folder), wishes)) {
      const path = folder + entry.name;
      const isFile = entry.kind === "file" || entry.kind === "link" && isFileAt(project, path);
      if (isFile && wishes.some((wish) => isEnd(step(wish, entry.name)))) found.add(path);
      const deeper = entry.kind === "folder"
        ? wishes.map((wish) => step(wish, entry.name))
        : entry.kind === "link" && !isFile
        ? wishes.map((wish) => stepByName(wish, entry.name))
        : [];
      const open = deeper.filter(({ glob, places }) =>
        [...places].some((place) => place < glob.parts.length)
      );
      if (open.length > 0) pending.push([`${path}/`, open]);
    }
  }
  return [...found].toSorted();
}

/** Which of the paths are meant, of files that lie here no more. @throws {GridError} as above */
export function meantOf(
  patterns: readonly string[],
  paths: readonly string[],
): readonly string[] {
  const globs = patterns.flatMap(parse);
  return paths.filter((path) => isMeant(globs, path));
}

function parse(pattern: string): readonly FileGlob[] {
  return readGlob("step-failed", pattern, parseFileGlob);
}

function step({ glob, places }: Wish, name: string): Wish {
  return { glob, places: nextPlaces(glob.parts, places, name) };
}

/** Through a link: no wildcard leads out of the project. */
function stepByName({ glob, places }: Wish, name: string): Wish {
  const { parts } = glob;
  const next = [...places].filter((place) => plainAt(glob, place) === name);
  return { glob, places: pastStars(new Set(next.map((place) => place + 1)), parts) };
}

function isEnd({ glob, places }: Wish): boolean {
  return places.has(glob.parts.length);
}

function plainAt({ parts }: FileGlob, place: number): string | undefined {
  const part = parts[place];
  return typeof part === "object" ? part.plain : undefined;
}

/** A folder is listed only where a wildcard asks: it may be large, or open to who knows the names alone. */
function entriesOf(folder: string, wishes: readonly Wish[]): readonly Entry[] {
  const names = new Set<string>();
  for (const { glob, places } of wishes) {
    for (const place of places) {
      if (place === glob.parts.length) continue;
      const plain = plainAt(glob, place);
      if (plain === undefined) return listed(folder);
      names.add(plain);
    }
  }
  return [...names].flatMap((name) => {
    const kind = kindAt(`${folder}/${name}`);
    return kind === undefined ? [] : [{ name, kind }];
  });
}

function listed(folder: string): readonly Entry[] {
  try {
    return nodeFs().readdirSync(folder, { withFileTypes: true })
      .map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  } catch {
    return [];
  }
}

function kindAt(path: string): Entry["kind"] | undefined {
  try {
    return kindOf(nodeFs().lstatSync(path));
  } catch {
    return undefined;
  }
}

function kindOf(
  entry: Pick<Dirent, "isFile" | "isDirectory" | "isSymbolicLink">,
): Entry["kind"] {
  return entry.isFile()
    ? "file"
    : entry.isDirectory()
    ? "folder"
    : entry.isSymbolicLink()
    ? "link"
    : "other";
}

function isFileAt(project: string, path: string): boolean {
  try {
    return nodeFs().statSync(resolve(project, path)).isFile();
  } catch {
    return false;
  }
}
