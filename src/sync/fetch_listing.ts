/** What a node says it has for a fetch: names from the other side, believed only once they are checked. */
import { Buffer } from "node:buffer";
import { GridError } from "../core/errors.ts";
import { asRelativePath, type RelativePath, relativePathFault } from "../core/relative_path.ts";

/** A file as the node describes it. */
export interface FoundFile {
  readonly path: RelativePath;
  /** Bytes. */
  readonly size: number;
  /** Seconds since the Unix epoch. */
  readonly mtime: number;
  /** The same, when the file system last had to do with it: no program can set that back. */
  readonly ctime?: number;
  readonly executable: boolean;
}

/** What stays there, and why. */
export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

export interface Listing {
  readonly files: readonly FoundFile[];
  readonly folders: readonly RelativePath[];
  /** Links to nothing, pipes, sockets, devices and names that cannot be written here. */
  readonly skippedSteps: readonly LeftOut[];
  /** Folders that the account may not look into. */
  readonly closed: readonly string[];
}

/** As `fetch.sh` prints it: lists of names, each ended by NUL. */
export interface ListingBytes {
  readonly found: Uint8Array;
  /** `<mode in hex> <bytes> <mtime> <ctime>|<name>` and a line break, for what could be looked at. */
  readonly rows: Uint8Array;
  /** Links to nothing. */
  readonly dangling: Uint8Array;
  readonly closed: Uint8Array;
  /** What `find` complained of, in its own words. */
  readonly words: Uint8Array;
}

export interface ListingOptions {
  /** Where the node was told to look: `.`, or `./` and a path. */
  readonly starts: readonly string[];
  readonly node: string;
}

/** Of one list. What is kept of each name takes some hundred bytes of memory here. */
const MOST_NAMES = 50_000;
const ODD_NAME = "its name holds control characters, or is not valid UTF-8";
const GIT_HEAD = "git would take its folder for a repository, and run what stands in its settings";
/** A file's type in its mode, as `stat` numbers them. */
const KINDS: Readonly<Record<string, string>> = {
  "1": "a named pipe",
  "2": "a device",
  "6": "a device",
  "c": "a socket",
};

/** @throws {GridError} `sync` for a name that nobody asked for, or an answer that makes no sense */
export function readListing(bytes: ListingBytes, options: ListingOptions): Listing {
  // Before anything is taken apart: the shortest names make the longest lists.
  for (const list of [bytes.found, bytes.dangling, bytes.closed]) {
    refuseTooMany(list, { end: 0, ...options });
  }
  refuseTooMany(bytes.rows, { end: 0x0a, ...options });
  const dangling = new Set(splitAtNul(bytes.dangling).map(latin1));
  const rows = readRows(latin1(bytes.rows));
  const files = new Map<RelativePath, FoundFile>();
  const folders = new Set<RelativePath>();
  const skippedSteps = new Map<string, LeftOut>();
  const leave = (path: string, reason: string) => skippedSteps.set(path, { path, reason });
  for (const name of splitAtNul(bytes.found)) {
    // The starting point itself, where it is the whole folder.
    if (latin1(name) === ".") continue;
    const path = checkName(name, options);
    if (path === undefined) {
      leave(shown(name), ODD_NAME);
      continue;
    }
    const row = rows.get(latin1(name));
    const kind = row?.mode.slice(0, -3) ?? "";
    if (row === undefined && dangling.has(latin1(name))) leave(path, "a link to nothing");
    else if (row === undefined) throw senseless(`it tells nothing about "${path}"`, options);
    else if (kind === "8" && isGitHead(path)) leave(path, GIT_HEAD);
    else if (kind === "8") files.set(path, fileOf(path, row));
    else if (kind === "4") folders.add(path);
    else if (Object.hasOwn(KINDS, kind)) leave(path, KINDS[kind] ?? "");
    else throw senseless(`it calls "${path}" neither file nor folder`, options);
  }
  for (const path of [...files.keys(), ...folders]) {
    const above = fileAbove(path, files);
    if (above === undefined) continue;
    throw senseless(`it calls "${above}" a file, and names what lies in it`, options);
  }
  return {
    files: [...files.values()],
    folders: [...folders],
    skippedSteps: [...skippedSteps.values(), ...readLoops(bytes.words)],
    closed: splitAtNul(bytes.closed).map(shown),
  };
}

function fileAbove(path: string, files: ReadonlyMap<string, unknown>): string | undefined {
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
    if (files.has(path.slice(0, at))) return path.slice(0, at);
  }
  return undefined;
}

/** @param end the byte that ends each name */
function refuseTooMany(list: Uint8Array, { end, node }: ListingOptions & { readonly end: number }) {
  let count = 0;
  for (let at = list.indexOf(end); at >= 0; at = list.indexOf(end, at + 1)) count++;
  if (count <= MOST_NAMES) return;
  throw new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": it named ${count} files and folders, and ` +
      `${MOST_NAMES} are the most`,
    hint: "Nothing was written; name fewer folders, or pack them into one file there",
    node,
  });
}

/** git's and Grid's own folders stay where they are: what lies in them runs, or is believed. */
export function isPrivate(path: string): boolean {
  return /(?:^|\/)\.(?:git|grid)(?:\/|$)/i.test(path);
}

/**
 * Beside `objects` and `refs`, which may have come at another time, a file of this name makes a folder a
 * repository, whatever it is called; and what its settings name runs with the next `git status` in it.
 */
function isGitHead(path: string): boolean {
  return /(?:^|\/)head$/i.test(path);
}

/** Undefined for a name that is harmless, but cannot be written here as it is. */
function checkName(bytes: Uint8Array, options: ListingOptions): RelativePath | undefined {
  // The node was asked to look below `.`.
  const name = strictText(bytes)?.replace(/^\.\//, "");
  if (name === undefined) return undefined;
  const path = asRelativePath(name, { allowControls: true });
  if (path === undefined || !isAskedFor(path, options.starts)) throw refused(name, options);
  return asRelativePath(path);
}

function isAskedFor(path: RelativePath, starts: readonly string[]): boolean {
  if (isPrivate(path)) return false;
  return starts.some((start) =>
    start === "." || `./${path}` === start || `./${path}`.startsWith(`${start}/`)
  );
}

interface Row {
  readonly mode: string;
  readonly size: number;
  readonly mtime: number;
  readonly ctime?: number;
}

/** By name, each byte as one character. A name with a line break finds no row, and is odd anyway. */
function readRows(text: string): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of text.split("\n")) {
    const [, mode = "", size = "", mtime = "", ctime, name] =
      /^([0-9a-fA-F]{4,5}) (\d{1,15}) (-?\d{1,15})(?: (-?\d{1,15}))?\|(.+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const facts = { mode: mode.toLowerCase(), size: Number(size), mtime: Number(mtime) };
    rows.set(name, ctime === undefined ? facts : { ...facts, ctime: Number(ctime) });
  }
  return rows;
}

function fileOf(path: RelativePath, { mode, ...row }: Row): FoundFile {
  return { path, ...row, executable: (parseInt(mode, 16) & 0o100) !== 0 };
}

/** A link back to a folder above it is no reason to fail: GNU find names it and goes on. */
function readLoops(words: Uint8Array): LeftOut[] {
  return new TextDecoder().decode(words).split("\n").flatMap((line) => {
    const name = /File system loop detected; ['‘]?(?:\.\/)?([^'’]+)['’]? is part/.exec(line)?.[1];
    return name === undefined
      ? []
      : [{ path: printable(name), reason: "a link to a folder above" }];
  });
}

/** What `find` complained of that nothing else explains; undefined where there is no such thing. */
export function unexplained(words: Uint8Array, closed: readonly string[]): string | undefined {
  return new TextDecoder().decode(words).split("\n").map(printable).find((line) =>
    line !== "" && !/file system loop|too many (?:levels of )?symbolic links/i.test(line) &&
    !/no such file or directory/i.test(line) &&
    !closed.some((path) => line.includes(path))
  );
}

function refused(name: string, { node }: ListingOptions): GridError {
  const fault = relativePathFault(name, { allowControls: true });
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": it named "${printable(name)}", which ` +
      (fault ?? "was not asked for"),
    hint: `Nothing was written. Check what find and tar are on ${node}`,
    node,
  });
}

function senseless(what: string, { node }: ListingOptions): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": ${what}`,
    hint: `Nothing was written; try again, and check what stat is on ${node} if it stays`,
    node,
  });
}

export function splitAtNul(list: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let from = 0; from < list.length;) {
    const at = list.indexOf(0, from);
    const end = at < 0 ? list.length : at;
    names.push(list.subarray(from, end));
    from = end + 1;
  }
  return names;
}

function strictText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Every byte as one character, so that any two names differ. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function shown(name: Uint8Array): string {
  return printable(new TextDecoder().decode(name)).replace(/^\.\//, "");
}

/** Names may hold anything, also what a terminal would obey. */
export function printable(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, "\ufffd").slice(0, 300);
}
