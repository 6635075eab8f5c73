/** What a sync amounts to for those who work with it: one digest of what now lies in the folder. */
import { type Entry, foldersAbove } from "./entry.ts";
import { type FetchPattern, parseFetchPattern } from "./fetch_pattern.ts";
import { writeManifest } from "./manifest.ts";

export interface Content {
  /** Sorted by path. */
  readonly entries: readonly Entry[];
  /** Of their manifest. */
  readonly digest: string;
}

export type ContentDigest = (content: Content) => string;

/**
 * Paths, contents and x-bits, never times. Without what matches `fetchTargets`, relative to the source:
 * results that were fetched into it make no other code.
 */
export function contentDigest(fetchTargets: readonly string[] = []): ContentDigest {
  const patterns = fetchTargets.map(parseFetchPattern);
  if (patterns.length === 0) return ({ digest }) => digest;
  // Most nodes are left with the very same list.
  const known = new WeakMap<readonly Entry[], string>();
  return ({ entries, digest }) => {
    const before = known.get(entries);
    if (before !== undefined) return before;
    const counted = entries.filter((entry) => !patterns.some((pattern) => isOf(pattern, entry)));
    const found = counted.length === entries.length ? digest : writeManifest(counted).digest;
    known.set(entries, found);
    return found;
  };
}

/** Folders around and below the results come and go with them. */
function isOf(pattern: FetchPattern, { path, type }: Entry): boolean {
  if (pattern.matches(path)) return true;
  if (type !== "folder") return false;
  const start = pattern.start.replace(/^\.\/?/, "");
  return start === "" || path === start || path.startsWith(`${start}/`) ||
    foldersAbove(start).includes(path);
}
