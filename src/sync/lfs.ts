/** Files that are only the pointers of Git LFS: whoever syncs them thinks that it is the content. */
import { closeSync, openSync, readSync } from "node:fs";
import { Buffer } from "node:buffer";
import type { SourceEntry } from "./hash.ts";

/** First line of a pointer: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const FIRST_LINE = "version https://git-lfs.github.com/spec/v1\n";
/** A pointer is shorter than this by that specification. */
const MOST_BYTES = 1024;
/** Reading them all would cost more than the sync; so many small files are looked into. */
const MOST_LOOKS = 5000;

/** Whether some `.gitattributes` of the source speaks of LFS. */
export function usesLfs(source: string, found: readonly SourceEntry[]): boolean {
  return found.some(({ path, type }) =>
    type === "file" && path.endsWith(".gitattributes") &&
    /(^|\/)\.gitattributes$/.test(path) &&
    beginning(`${source}/${path}`, 64 * 1024).includes("filter=lfs")
  );
}

/** Their paths, in a source that uses LFS. */
export function lfsPointers(source: string, found: readonly SourceEntry[]): string[] {
  return found.filter(({ type, size }) =>
    type === "file" && size > FIRST_LINE.length && size < MOST_BYTES
  ).slice(0, MOST_LOOKS)
    .filter(({ path }) => beginning(`${source}/${path}`, FIRST_LINE.length) === FIRST_LINE)
    .map(({ path }) => path);
}

/** What cannot be read is told of when it is to be sent. */
function beginning(path: string, bytes: number): string {
  const block = Buffer.alloc(bytes);
  try {
    const file = openSync(path, "r");
    try {
      return block.toString("latin1", 0, readSync(file, block, 0, bytes, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}
