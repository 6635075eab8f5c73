/** What has to happen on a node, from what is wanted and what is known to be there. Pure. */
import { comparePaths, type Entry, foldersAbove, sameEntry } from "./entry.ts";

export interface PlanInput<E extends Entry = Entry> {
  /** The source, sorted by path. */
  readonly wanted: readonly E[];
  /** What earlier syncs put there, sorted by path. */
  readonly known: readonly Entry[];
  /** Known paths that are no longer as they were left. */
  readonly changed: ReadonlySet<string>;
  /** Known paths that are not there at all; in `changed` too. */
  readonly missing: ReadonlySet<string>;
  /** Known folders that are now something else, such as a link; in `changed` too. */
  readonly displaced: ReadonlySet<string>;
  /** Whether what the source no longer has is removed. */
  readonly delete: boolean;
  /** Whether a known file that changed was changed by others; default: each was. */
  readonly isEdited?: (path: string) => boolean;
  /** Whether nobody could see if the source still has it; default: everything was seen. */
  readonly isUnread?: (path: string) => boolean;
}

export interface Plan<E extends Entry = Entry> {
  /** Files, links and new folders to bring over, sorted by path. */
  readonly send: readonly E[];
  /** Files and links in the way of something wanted: removed before anything is moved in. */
  readonly clear: readonly string[];
  /** Folders in the way, children first. */
  readonly clearFolders: readonly string[];
  /** Files and links that the source no longer has: removed after everything was moved in. */
  readonly remove: readonly string[];
  /** Folders that the source no longer has, children first; one that is not empty stays. */
  readonly removeFolders: readonly string[];
  /** Changed on the node, and put right or left alone. */
  readonly drifted: readonly string[];
  /** Gone from the source but changed on the node: left there, no longer Grid's. */
  readonly kept: readonly string[];
  readonly unchanged: number;
}

export function planSync<E extends Entry>(given: PlanInput<E>): Plan<E> {
  const input = withoutSame(given);
  const known = new Map(input.known.map((entry) => [entry.path, entry]));
  const wanted = new Map<string, Entry>(input.wanted.map((entry) => [entry.path, entry]));
  const isDrifted = (path: string) => input.changed.has(path) || isDisplaced(path, input.displaced);

  const send = input.wanted.filter((entry) => {
    const there = known.get(entry.path);
    return there === undefined || !sameEntry(entry, there) || isDrifted(entry.path);
  });
  const { isUnread = () => false, isEdited = () => true } = input;
  // Not seen is not gone.
  const gone = input.known.filter((entry) => !wanted.has(entry.path) && !isUnread(entry.path));
  const inTheWay = (entry: Entry) => {
    const replacement = wanted.get(entry.path);
    if (replacement !== undefined) {
      return replacement.type !== entry.type && isSwap(entry, replacement);
    }
    return foldersAbove(entry.path).some((above) => isNoFolder(wanted.get(above)));
  };
  const clearing = input.known.filter(inTheWay);
  const clearable = clearing.filter((entry) => !isDisplaced(entry.path, input.displaced));
  const cleared = new Set(clearing.map((entry) => entry.path));
  const isOutOfReach = (path: string) =>
    cleared.has(path) || input.missing.has(path) || isDisplaced(path, input.displaced);
  const leaving = input.delete ? gone.filter((entry) => !isOutOfReach(entry.path)) : [];
  const kept = leaving.filter((entry) =>
    entry.type !== "folder" && input.changed.has(entry.path) && isEdited(entry.path)
  );
  const keptPaths = new Set(kept.map((entry) => entry.path));

  return {
    send,
    clear: [...pathsOf(clearable, isLeaf), ...outermost(input.displaced)].toSorted(comparePaths),
    clearFolders: childrenFirst(
      pathsOf(clearable, isFolder).filter((path) => !input.displaced.has(path)),
    ),
    remove: pathsOf(leaving, isLeaf).filter((path) => !keptPaths.has(path)),
    removeFolders: childrenFirst(pathsOf(leaving, isFolder)),
    drifted: input.known.filter((entry) => isDrifted(entry.path)).map((entry) => entry.path),
    kept: [...keptPaths],
    unchanged: given.wanted.length - send.length,
  };
}

/**
 * Without what is the same in both lists, which is mostly nearly all of it, and the folders
 * above it too. Where something on the node is not as it was left, everything counts.
 */
function withoutSame<E extends Entry>(input: PlanInput<E>): PlanInput<E> {
  const { changed, missing, displaced } = input;
  if (changed.size + missing.size + displaced.size > 0) return input;
  const wanted: E[] = [];
  const known: Entry[] = [];
  for (let at = 0, other = 0; at < input.wanted.length || other < input.known.length;) {
    const entry = input.wanted[at];
    const there = input.known[other];
    const order = entry === undefined
      ? 1
      : there === undefined
      ? -1
      : entry === there
      ? 0
      : comparePaths(entry.path, there.path);
    // One path may be known twice, after a sync that broke off.
    const isSame = order === 0 && entry !== undefined && there !== undefined &&
      (entry === there || sameEntry(entry, there));
    if (isSame && input.known[other + 1]?.path !== there.path) {
      at++;
      other++;
      continue;
    }
    if (order <= 0 && entry !== undefined) wanted.push(entry);
    if (order <= 0) at++;
    if (order >= 0 && there !== undefined) known.push(there);
    if (order >= 0) other++;
  }
  return { ...input, wanted, known };
}

export type SendReason = "new" | "content" | "x-bit" | "type" | "changed on the node";

/** Why an entry of `plan.send` is sent. */
export function reasonToSend(entry: Entry, { known, drifted }: {
  readonly known: ReadonlyMap<string, Entry>;
  readonly drifted: ReadonlySet<string>;
}): SendReason {
  const there = known.get(entry.path);
  if (there === undefined) return "new";
  if (there.type !== entry.type) return "type";
  if (there.content !== entry.content || there.size !== entry.size) return "content";
  if (there.executable !== entry.executable) return "x-bit";
  return drifted.has(entry.path) ? "changed on the node" : "content";
}

/** Below a folder that is no longer one: whatever is seen there is not ours. */
function isDisplaced(path: string, displaced: ReadonlySet<string>): boolean {
  if (displaced.size === 0) return false;
  return displaced.has(path) || foldersAbove(path).some((above) => displaced.has(above));
}

function outermost(displaced: ReadonlySet<string>): string[] {
  return [...displaced].filter((path) => !foldersAbove(path).some((above) => displaced.has(above)));
}

/** A file may be renamed over a file or a link, but never over a folder or the other way round. */
function isSwap(there: Entry, wanted: Entry): boolean {
  return there.type === "folder" || wanted.type === "folder";
}

function isNoFolder(entry: Entry | undefined): boolean {
  return entry !== undefined && entry.type !== "folder";
}

function isFolder(entry: Entry): boolean {
  return entry.type === "folder";
}

function isLeaf(entry: Entry): boolean {
  return entry.type !== "folder";
}

function pathsOf(entries: readonly Entry[], keep: (entry: Entry) => boolean): string[] {
  return entries.filter(keep).map((entry) => entry.path);
}

function childrenFirst(paths: readonly string[]): string[] {
  return paths.toSorted((a, b) => comparePaths(b, a));
}
