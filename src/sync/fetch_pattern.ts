/** What `fetch.from` means: a path, or a glob, below a folder. */
import { GridError } from "../core/errors.ts";
import { isPrivate } from "./fetch_listing.ts";
import { parseGlob } from "../core/glob.ts";
import { readGlob } from "../core/glob_fault.ts";

export interface FetchPattern {
  /** As the user wrote it. */
  readonly text: string;
  /** Folder or file below which every match lies, `.` for the folder itself. */
  readonly start: string;
  /** Whether a file or folder found is asked for; `path` is relative, without `./`. */
  matches(path: string): boolean;
  /** Whether anything below a folder can be asked for. */
  reaches(folder: string): boolean;
}

const GLOB = /[*?[\]{}\\]/;

/** @throws {GridError} `sync` for a path that leaves the folder, and for what is no glob */
export function parseFetchPattern(text: string): FetchPattern {
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  if (text.startsWith("/") || parts.includes("..") || /[\0\n]/.test(text) || text === "") {
    throw new GridError({
      code: "sync",
      message: `Cannot fetch "${text}": it is not a path below the step's folder`,
      hint: "Set working-directory to the folder, and give paths below it",
    });
  }
  const path = parts.join("/");
  if (isPrivate(path)) {
    throw new GridError({
      code: "sync",
      message: `Cannot fetch "${text}": .git and .grid never travel`,
      hint: "Copy what you need of it to another folder on the node first",
    });
  }
  const firstGlob = parts.findIndex((part) => GLOB.test(part));
  if (firstGlob < 0) {
    const matches = (file: string) => isAtOrBelow(file, path);
    return { text, start: toStart(parts), matches, reaches: matches };
  }
  const isMatch = readGlob("sync", path, parseGlob);
  const matches = (file: string) => isAtOrBelow(file, path) || isMatch(file);
  return {
    text,
    start: toStart(parts.slice(0, firstGlob)),
    // A folder that matches stands for everything in it; a name may hold `[` and mean itself.
    matches,
    // Without `**` a pattern says nothing about what lies deeper than it has parts.
    reaches: (folder) =>
      matches(folder) || parts.includes("**") || folder.split("/").length < parts.length,
  };
}

function toStart(parts: readonly string[]): string {
  return parts.length === 0 ? "." : `./${parts.join("/")}`;
}

function isAtOrBelow(file: string, path: string): boolean {
  return path === "" || file === path || file.startsWith(`${path}/`);
}
