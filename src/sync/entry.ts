/** What a synced folder consists of, the same words for the source and for what a node holds. */

export type EntryType = "file" | "link" | "folder";

/** One thing as the manifest records it. */
export interface Entry {
  /** Relative to the folder, `/` between the parts. */
  readonly path: string;
  readonly type: EntryType;
  /** Files only; no other mode bit travels. */
  readonly executable: boolean;
  /** Bytes of a file; 0 for the rest. */
  readonly size: number;
  /** `sha256:<hex>` or `mtime:<ns>` of a file, the target of a link, empty for a folder. */
  readonly content: string;
}

/** Whether a node that holds `b` needs nothing to hold `a`. */
export function sameEntry(a: Entry, b: Entry): boolean {
  return a.type === b.type && a.executable === b.executable && a.size === b.size &&
    a.content === b.content;
}

/** Every folder above `path`, outermost first. */
export function foldersAbove(path: string): string[] {
  const above: string[] = [];
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    above.push(path.slice(0, slash));
  }
  return above;
}

/** Whether one of the entries, which are sorted by path, has this path. */
export function hasPath(entries: readonly Entry[], path: string): boolean {
  let from = 0;
  for (let end = entries.length; from < end;) {
    const middle = (from + end) >>> 1;
    if (comparePaths(entries[middle]!.path, path) < 0) from = middle + 1;
    else end = middle;
  }
  return entries[from]?.path === path;
}

/** Order of paths in every list: by code unit, so that it does not depend on the language. */
export function comparePaths(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
