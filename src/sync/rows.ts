/** Compares what a node's file system said after the last sync with what it says now. */
import type { Entry } from "./entry.ts";

export interface RowComparison {
  /** Paths that are missing or not as they were left. */
  readonly changed: ReadonlySet<string>;
  /** Those of them that are not there at all. */
  readonly missing: ReadonlySet<string>;
  /** Folders that are now something else. */
  readonly displaced: ReadonlySet<string>;
}

export interface RowTexts {
  /** Rows written by the last sync. */
  readonly recorded: string;
  /** The same rows of this moment. */
  readonly live: string;
}

/** `known` in the order of the manifest; rows list files and links first, then folders. */
export function compareRows(known: readonly Entry[], texts: RowTexts): RowComparison {
  const paths = [
    ...known.filter((entry) => entry.type !== "folder"),
    ...known.filter((entry) => entry.type === "folder"),
  ].map((entry) => entry.path);
  const folders = new Set(
    known.filter((entry) => entry.type === "folder").map((entry) => entry.path),
  );
  const recorded = parseRows(texts.recorded, paths);
  const live = parseRows(texts.live, paths);
  const changed = new Set<string>();
  const missing = new Set<string>();
  const displaced = new Set<string>();
  for (const path of paths) {
    const row = live.get(path);
    if (row === undefined) missing.add(path);
    if (row === undefined || row !== recorded.get(path)) changed.add(path);
    if (folders.has(path) && row !== undefined && !isFolderRow(row)) displaced.add(path);
  }
  return { changed, missing, displaced };
}

/**
 * Facts by path. A row is facts, three bars and the path; paths may hold any character, also a new
 * line, so each row is recognised by the path that is due, and a path without a row is missing.
 */
function parseRows(text: string, paths: readonly string[]): Map<string, string> {
  const rows = new Map<string, string>();
  let at = 0;
  for (const path of paths) {
    const start = afterBars(text, at);
    if (start === undefined) break;
    // As it stands in the lists.
    const name = path === "-" ? "./-" : path;
    if (!text.startsWith(`${name}\n`, start)) continue;
    rows.set(path, text.slice(at, start));
    at = start + name.length + 1;
  }
  return rows;
}

function afterBars(text: string, from: number): number | undefined {
  let at = from;
  for (let bar = 0; bar < 3; bar++) {
    const found = text.indexOf("|", at);
    if (found < 0) return undefined;
    at = found + 1;
  }
  return at;
}

/** Facts begin with the mode in hex; 4 is the file type of a folder. */
function isFolderRow(row: string): boolean {
  return /^4[0-9a-f]{3}\|/.test(row);
}
