/** What stops a fetch, in words; and what is refused before anything is written. */
import { statfs } from "node:fs/promises";
import { GridError, toGridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import { formatSize } from "../core/size.ts";
import {
  type FoundFile,
  type LeftOut,
  type Listing,
  printable,
  unexplained,
} from "./fetch_listing.ts";
import type { FetchPattern } from "./fetch_pattern.ts";
import type { FetchOptions } from "./sync.ts";

interface Asked {
  readonly files: readonly FoundFile[];
  readonly folders: readonly string[];
  readonly skippedSteps: readonly LeftOut[];
}

/** @throws {GridError} `sync` naming every pattern that brings nothing */
export function refuseMissing(
  patterns: readonly FetchPattern[],
  { files, folders, skippedSteps }: Asked,
  options: FetchOptions,
): void {
  const found = [...files.map((file) => file.path), ...folders];
  const missing = patterns.filter((pattern) => !found.some((path) => pattern.matches(path)));
  if (missing.length === 0) return;
  const words = missing.map((pattern) => {
    const only = skippedSteps.find((it) => pattern.matches(it.path));
    return `"${pattern.text}"` + (only ? ` (${only.path} is there, but: ${only.reason})` : "");
  });
  throw fetchError(`nothing in ${options.folder} matches ${words.join(", ")}`, options, {
    hint: `See what is there: grid run --node ${nodeOf(options)} ${
      quote(`ls -la ${quote(options.folder)}`)
    }`,
  });
}

/** @throws {GridError} `sync` naming folders that may hold what is asked for, and cannot be read */
export function refuseClosed(
  { closed }: Listing,
  options: FetchOptions & {
    readonly patterns: readonly FetchPattern[];
    readonly words: Uint8Array;
  },
): void {
  const inTheWay = closed.filter((path) => options.patterns.some((it) => it.reaches(path)));
  if (inTheWay.length > 0) throw unread(inTheWay, "permission denied", options);
  const words = unexplained(options.words, closed);
  if (words === undefined) return;
  throw fetchError(`find could not see everything: ${words}`, options, {
    hint: "Nothing was written here; leave out what cannot be read, or have it made readable",
  });
}

/** @throws {GridError} `sync` naming files that the account may not read */
export function refuseUnread(paths: readonly string[], words: string, options: FetchOptions): void {
  if (paths.length === 0) return;
  const why = /permission denied/i.test(words)
    ? "permission denied"
    : printable(words.trim().split("\n")[0] ?? "") || "its content could not be summed up";
  throw unread(paths, why, options);
}

function unread(paths: readonly string[], why: string, options: FetchOptions): GridError {
  return fetchError(`it cannot read ${shorten(paths)} (${why})`, options, {
    hint: "Nothing was written here; have them made readable, or leave them out of fetch.from",
  });
}

/** @throws {GridError} `sync` where this machine has no room for it */
export async function refuseWithoutSpace(
  files: readonly FoundFile[],
  options: FetchOptions,
): Promise<void> {
  const needed = files.reduce((sum, file) => sum + file.size, 0);
  const { bavail, bsize } = await statfs(options.to);
  const free = bavail * bsize;
  if (needed <= free) return;
  throw fetchError(
    `${formatSize(needed)} in ${files.length} files, and ${formatSize(free)} free here in ` +
      options.to,
    options,
    { hint: "Free some space, or name fewer files" },
  );
}

/** @param line what came where something else was due @param detail what followed */
export function answerProblem(line: string, detail: string, options: FetchOptions): GridError {
  const words = printable(detail.trim().split("\n")[0] ?? "");
  if (line === "failed folder") return noFolder(options);
  if (line === "failed stat") {
    return fetchError(`there is no stat${words && ` that knows -c or -f (${words})`}`, options, {
      hint: "Install stat on the node: it is part of coreutils and of busybox",
    });
  }
  if (line === "failed write") {
    return fetchError(`nothing can be written in ${words}`, options, {
      hint: `Check its temporary folder: grid run --node ${nodeOf(options)} "df -h /tmp"`,
    });
  }
  return fetchError(`it answered ${printable(line)}: ${words}`, options, {
    hint: `Try: grid run --node ${nodeOf(options)} "echo works"`,
  });
}

export function noFolder(options: FetchOptions): GridError {
  return fetchError(`there is no folder ${options.folder}`, options, {
    hint: "Check working-directory, or sync the folder first",
  });
}

export function incomplete(
  missing: readonly string[],
  words: string,
  options: FetchOptions,
): GridError {
  const why = printable(words.trim().split("\n")[0] ?? "") || "the archive ended early";
  return fetchError(`${shorten(missing)} did not come: ${why}`, options, {
    hint: "Nothing was replaced here; check that the files are readable there",
  });
}

export function unsteady(paths: readonly string[], options: FetchOptions): GridError {
  return fetchError(`${shorten(paths)} kept changing while it was read`, options, {
    hint: "Everything else is here. Fetch after the step that writes it, or fetch a copy",
  });
}

/** What the archive's reader says about a cut stream is no bug of ours. */
export function unpackProblem(error: unknown, options: FetchOptions): unknown {
  if (error instanceof GridError) return error;
  options.signal.throwIfAborted();
  return fetchError(toGridError(error).message, options, {
    hint: "Nothing was replaced here; try again",
    cause: error,
  });
}

function fetchError(
  what: string,
  options: FetchOptions,
  more: { readonly hint: string; readonly cause?: unknown },
): GridError {
  const node = nodeOf(options);
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": ${what}`,
    node,
    ...more,
  });
}

function nodeOf(options: FetchOptions): string {
  return options.transport.endpoint.name;
}

function shorten(paths: readonly string[]): string {
  return paths.slice(0, 5).join(", ") + (paths.length > 5 ? ` and ${paths.length - 5} more` : "");
}
