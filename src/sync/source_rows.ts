/**
 * What the file system says of everything in some folders, told by one process: `find` has looked at ten
 * thousand files before the runtime has looked at a thousand, and this thread has its hands free meanwhile.
 */
import { Buffer } from "node:buffer";
import { getLogger } from "../core/log.ts";

/** Of each thing, ended by NUL; the path is last, since it may hold blanks. */
const FORMAT = "%y %m %s %i %D %T@ %C@ %p\\0";
/** Linux takes 2 MiB of arguments and environment by default. */
const MOST_ARGUMENT_BYTES = 2 ** 20;

/**
 * @param folders below the source, relative to it; the source itself is always looked into
 * @returns undefined where `find` cannot tell, or could not tell all
 */
export async function readSourceRows(
  source: string,
  { folders, signal }: { readonly folders: readonly string[]; readonly signal: AbortSignal },
): Promise<Buffer | undefined> {
  // Elsewhere `find` knows no -printf.
  if (Deno.build.os !== "linux") return undefined;
  const starts = [".", ...folders.map((folder) => `./${folder}`)];
  const bytes = starts.reduce((sum, start) => sum + Buffer.byteLength(start) + 9, 0);
  if (bytes > MOST_ARGUMENT_BYTES) return undefined;
  try {
    const { success, stdout } = await new Deno.Command("find", {
      args: ["-P", ...starts, "-mindepth", "1", "-maxdepth", "1", "-printf", FORMAT],
      cwd: source,
      env: { LC_ALL: "C" },
      stdin: "null",
      stderr: "null",
      signal,
    }).output();
    return success ? Buffer.from(stdout.buffer, stdout.byteOffset, stdout.length) : undefined;
  } catch (error) {
    signal.throwIfAborted();
    // There is none, or the environment leaves no room for so many folders.
    getLogger("sync").debug(`find: ${error}`);
    return undefined;
  }
}

export interface SourceRow {
  /** As `find` tells it: `f` a file, `d` a folder, `l` a link. */
  readonly type: string;
  readonly size: number;
  readonly ino: number;
  /** Milliseconds since the Unix epoch, cut off; of the content, and of anything about it. */
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly path: string;
}

/** One by one; undefined where one is none. Of many files all of them are long. */
export function* readRows(rows: Buffer): Generator<SourceRow | undefined> {
  for (let at = 0, end = rows.indexOf(0); end >= 0; at = end + 1, end = rows.indexOf(0, at)) {
    yield readRow(rows.toString("latin1", at, end));
  }
}

/** In bytes as characters. */
function readRow(row: string): SourceRow | undefined {
  const [, type, size, ino, mtime, ctime, path] =
    /^(\S) \d+ (\d+) (\d+) \d+ (\S+) (\S+) \.\/(.*)$/s.exec(row) ?? [];
  if (type === undefined || mtime === undefined || ctime === undefined || path === undefined) {
    return undefined;
  }
  return {
    type,
    size: Number(size),
    ino: Number(ino),
    mtimeMs: millisecondsOf(mtime),
    ctimeMs: millisecondsOf(ctime),
    path: Buffer.from(path, "latin1").toString("utf8"),
  };
}

/** Seconds with a fraction, which no double holds. */
function millisecondsOf(time: string): number {
  const [seconds = "", fraction = ""] = time.split(".");
  return Number(seconds) * 1000 + Number(fraction.padEnd(3, "0").slice(0, 3));
}

/**
 * Rows that are not what they were, where all else is: the same names of the same types.
 *
 * @returns as they are now; undefined where anything came, went or became something else
 */
export function changedRows(before: Buffer, now: Buffer): readonly SourceRow[] | undefined {
  const { from, after } = sameEnds(before, now);
  const old = before.toString("latin1", from, before.length - after).split("\0");
  const live = now.toString("latin1", from, now.length - after).split("\0");
  if (old.length !== live.length) return undefined;
  // A folder may tell its names in another order than before.
  const was = new Map(old.filter((row, at) => row !== live[at]).map((row) => [nameOf(row), row]));
  const changed: SourceRow[] = [];
  for (const row of live.filter((row, at) => row !== old[at])) {
    const name = nameOf(row);
    const known = was.get(name);
    const read = readRow(row);
    if (known === undefined || read === undefined) return undefined;
    was.delete(name);
    if (known !== row) changed.push(read);
  }
  return changed;
}

/** Whole rows that both begin with, and end with, in bytes: mostly nearly all of them. */
function sameEnds(before: Buffer, now: Buffer): { readonly from: number; readonly after: number } {
  const most = Math.min(before.length, now.length);
  const first = longest(most, (count) => before.compare(now, 0, count, 0, count) === 0);
  const from = first === 0 ? 0 : before.lastIndexOf(0, first - 1) + 1;
  const last = longest(
    most - from,
    (count) => before.subarray(before.length - count).equals(now.subarray(now.length - count)),
  );
  const end = before.indexOf(0, before.length - last);
  return { from, after: last === 0 || end < 0 ? 0 : before.length - end - 1 };
}

/** The largest of 0 to `most` that holds, where all below it do. */
function longest(most: number, holds: (count: number) => boolean): number {
  let least = 0;
  for (let above = most; least < above;) {
    const middle = Math.ceil((least + above) / 2);
    if (holds(middle)) least = middle;
    else above = middle - 1;
  }
  return least;
}

/** Its type and its path. */
function nameOf(row: string): string {
  return row.charAt(0) + row.slice(row.indexOf(" ./"));
}
