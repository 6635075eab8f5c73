/** What a node holds after a sync, and how it is told to remember that. */
import { comparePaths, type Entry, foldersAbove } from "./entry.ts";
import { factsOf, inPieces, type ManifestText, pathsOf } from "./manifest.ts";
import type { Packed } from "./pack.ts";
import type { Plan } from "./plan.ts";
import type { Pieces } from "./tar_writer.ts";

export interface RecordInput {
  readonly wanted: readonly Entry[];
  readonly known: readonly Entry[];
  readonly delete: boolean;
  /** Whether nobody could see if the source still has it. */
  readonly isUnread?: (path: string) => boolean;
  /** Files of others that stay where something of the source belongs: no longer Grid's. */
  readonly stay?: ReadonlySet<string>;
  /** What really travelled. */
  readonly packed: Pick<Packed, "sent" | "torn">;
  /** Whether something known lies there just so; default: all does. What does not is no longer Grid's. */
  readonly isThere?: (entry: Entry) => boolean;
}

/** The plan, corrected by what was really read; sorted by path. */
export function recordOf({ wanted, packed, ...options }: RecordInput): Entry[] {
  const { isThere = () => true } = options;
  const known = options.known.filter(isThere);
  const record = new Map<string, Entry>(wanted.map((entry) => [entry.path, entry]));
  for (const entry of packed.sent) record.set(entry.path, entry);
  if (packed.torn.length > 0) {
    const before = new Map(known.map((entry) => [entry.path, entry]));
    for (const { path } of packed.torn) {
      const there = before.get(path);
      if (there === undefined) record.delete(path);
      else record.set(path, there);
    }
  }
  for (const path of options.stay ?? []) record.delete(path);
  // With `delete: false` what the source no longer has stays on record, so that it can go later.
  const { isUnread = () => false } = options;
  const mayStay = options.delete ? known.filter((entry) => isUnread(entry.path)) : known;
  const isOthers = (entry: Entry) => options.stay?.has(entry.path) ?? false;
  const stays = mayStay.filter((entry) => !isReplaced(entry, record) && !isOthers(entry));
  if (stays.length === 0) return [...record.values()];
  // What a sync that broke off brought may stand beside what was there before.
  const unique = new Map(stays.map((entry) => [entry.path, entry]));
  return [...record.values(), ...unique.values()].toSorted((a, b) => comparePaths(a.path, b.path));
}

function isReplaced(entry: Entry, record: ReadonlyMap<string, Entry>): boolean {
  return record.has(entry.path) ||
    foldersAbove(entry.path).some((above) => (record.get(above)?.type ?? "folder") !== "folder");
}

export interface RecordChange {
  readonly plan: Plan;
  readonly known: readonly Entry[];
  readonly record: readonly Entry[];
  readonly packed: Pick<Packed, "sent" | "torn">;
  readonly manifest: ManifestText;
  readonly canPatch: boolean;
}

/** Beyond this many lines the whole record is sent. */
const MOST_LINES = 1000;

/** The files of the archive's `record/` folder: the whole, or single lines where that is enough. */
export function recordFiles(change: RecordChange): Readonly<Record<string, Pieces>> {
  const { manifest, packed } = change;
  if (!isPatch(change)) {
    return {
      facts: () => manifest.facts(),
      files: () => manifest.files(),
      folders: () => manifest.folders(),
    };
  }
  const { sent } = packed;
  const lines = linesOf(sent, change.record);
  return {
    patch: () => inPieces(sent, (it) => `${lines.get(it)} ${factsOf(it)}\n`),
    moved: () => pathsOf(sent),
  };
}

/** Where those that were sent stand among the files and links of the record; both are sorted by path. */
function linesOf(sent: readonly Entry[], record: readonly Entry[]): Map<Entry, number> {
  const lines = new Map<Entry, number>();
  let line = 0;
  let next = 0;
  for (const { type, path } of record) {
    if (type === "folder") continue;
    line++;
    const entry = sent[next];
    if (entry?.path !== path) continue;
    lines.set(entry, line);
    next++;
  }
  return lines;
}

/** Whether all that happened is that files took the place of files, each with a line of its own. */
function isPatch({ plan, known, record, packed, canPatch }: RecordChange): boolean {
  const removed = [plan.clear, plan.clearFolders, plan.remove, plan.removeFolders, packed.torn];
  return canPatch && removed.every((list) => list.length === 0) &&
    packed.sent.length > 0 && packed.sent.length <= MOST_LINES &&
    packed.sent.every((entry) => entry.type !== "folder") &&
    known.length === record.length &&
    record.every((entry, at) => isSamePlace(entry, known[at]));
}

function isSamePlace(entry: Entry, other: Entry | undefined): boolean {
  return entry.path === other?.path && !entry.path.includes("\n") &&
    (entry.type === "folder") === (other.type === "folder");
}
