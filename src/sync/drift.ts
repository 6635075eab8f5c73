/** What others wrote into a folder that Grid fills: found before a byte of it is replaced. */
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { newRunId } from "../core/ids.ts";
import { quote } from "../core/shell.ts";
import type { RelativePath } from "../core/relative_path.ts";
import type { Conversation } from "./conversation.ts";
import { comparePaths, type Entry, foldersAbove, hasPath, sameEntry } from "./entry.ts";
import { readSums } from "./fetch_sums.ts";
import type { SourceEntry } from "./hash.ts";
import { listOf } from "./manifest.ts";
import { type Plan, planSync } from "./plan.ts";
import { problemOf } from "./apply_problem.ts";
import type { NodeState } from "./node_state.ts";
import { unreadTest } from "./read_problem.ts";
import type { Source } from "./source.ts";
import type { RowComparison } from "./rows.ts";
import type { OnDrift } from "./sync.ts";
import type { Place } from "./place.ts";
import type { SyncTarget } from "./sync.ts";

interface LookInput {
  readonly target: SyncTarget;
  readonly place: Place;
  readonly plan: Plan;
  readonly wanted: readonly Entry[];
  /** What the last sync left, and what one that broke off may have brought. */
  readonly known: readonly Entry[];
  /** Of those that one that broke off may have brought. */
  readonly pending: readonly Entry[];
  readonly rows: RowComparison;
  readonly state: NodeState;
  readonly delete: boolean;
  readonly isUnread: (path: string) => boolean;
}

export interface JudgeOptions {
  readonly target: SyncTarget;
  readonly place: Place;
  readonly source: Source;
  readonly state: NodeState;
  readonly delete: boolean;
}

export interface Judged {
  readonly wanted: readonly SourceEntry[];
  readonly known: readonly Entry[];
  readonly plan: Plan<SourceEntry>;
  readonly isUnread: (path: string) => boolean;
  /** Files in the way of what is to come whose content no sync has put there. */
  readonly others: ReadonlySet<string>;
  /** Whether something known lies there just so. */
  readonly isThere: (entry: Entry) => boolean;
}

/** What has to happen there, and whose files that concerns. Nothing is changed. */
export async function judge(talk: Conversation, options: JudgeOptions): Promise<Judged> {
  const { source, state } = options;
  const recorded = state.manifest?.entries ?? [];
  const pending = unlike(state.pending, recorded);
  const known = pending.length === 0
    ? recorded
    : [...recorded, ...pending].toSorted((a, b) => comparePaths(a.path, b.path));
  // A node that has nothing gets every file, and each is hashed on its way: one reading less.
  const isBlank = state.manifest === undefined && pending.length === 0 && !state.isThere &&
    !state.can.has("partial");
  const wanted = isBlank ? source.recalled : (await source.hashed()).entries;
  const isUnread = unreadTest(source.skipped);
  const isInterrupted = state.verdict === "interrupted";
  const rows = { ...state.rows, changed: withPaths(state.rows.changed, pending) };
  const input = { wanted, known, ...rows, delete: options.delete, isUnread };
  const plan = planSync(input);
  const looked = await lookAtNode(talk, { ...options, ...input, plan, rows, pending });
  const { others } = looked;
  const isThere = isSurelyThere(recorded, state, looked);
  if (!isInterrupted) return { wanted, known, plan, isUnread, others, isThere };
  // What a sync that broke off has moved in already is nobody's edit.
  const before = new Set(recorded.map((entry) => entry.path));
  // Of a folder that one of them put a link in the place of, too.
  const displaced = new Set([...rows.displaced, ...parentsOf(known).filter(looked.isLeaf)]);
  const repair = planSync({ ...input, displaced, isEdited: (path) => others.has(path) });
  const drifted = [...others].filter((path) => before.has(path)).toSorted(comparePaths);
  return { wanted, known, plan: { ...repair, drifted }, isUnread, others, isThere };
}

function isSurelyThere(
  recorded: readonly Entry[],
  { rows, pending }: NodeState,
  looked: Looked,
): (entry: Entry) => boolean {
  const isAsLeft = rows.changed.size + rows.missing.size + rows.displaced.size === 0;
  if (isAsLeft && pending.length === 0) return () => true;
  const certain = new Set(recorded.filter((it) => isAsRecorded(it, rows)));
  return (entry) => certain.has(entry) || looked.has(entry);
}

/** Of a folder only that it is one. */
function isAsRecorded({ path, type }: Entry, { changed, missing, displaced }: RowComparison) {
  if (missing.has(path) || isBelow(displaced, path)) return false;
  return type === "folder" ? !displaced.has(path) : !changed.has(path);
}

function parentsOf(entries: readonly Entry[]): string[] {
  return [...new Set(entries.flatMap((entry) => foldersAbove(entry.path)))];
}

function isBelow(displaced: ReadonlySet<string>, path: string): boolean {
  return displaced.size > 0 && foldersAbove(path).some((above) => displaced.has(above));
}

/** Entries that are not in the other list just so. */
function unlike(entries: readonly Entry[], others: readonly Entry[]): Entry[] {
  if (entries.length === 0) return [];
  const known = new Map(others.map((entry) => [entry.path, entry]));
  return entries.filter((entry) => {
    const other = known.get(entry.path);
    return other === undefined || !sameEntry(entry, other);
  });
}

function withPaths(paths: ReadonlySet<string>, entries: readonly Entry[]): ReadonlySet<string> {
  return entries.length === 0 ? paths : new Set([...paths, ...entries.map((entry) => entry.path)]);
}

/** Those that something takes the place of now. */
export function keepOf(plan: Plan, others: ReadonlySet<string>): string[] {
  if (others.size === 0) return [];
  const replaced = [...plan.send.map((entry) => entry.path), ...plan.clear];
  return [...new Set(replaced)].filter((path) => others.has(path)).toSorted(comparePaths);
}

/** Sorts by time; two syncs in one second differ. */
export function keepStamp(): string {
  return newRunId(systemClock.now());
}

interface TellOptions {
  readonly target: SyncTarget;
  readonly place: Place;
  readonly stay: ReadonlySet<string>;
  readonly keep: readonly string[];
  readonly stamp: string;
  readonly tell?: ((message: string) => void) | undefined;
}

/** Said before it happens. */
export function tellOthers({ target, place, stay, keep, stamp, tell }: TellOptions): void {
  if (keep.length > 0) {
    tell?.(
      `Not written by Grid on ${target.node}, moved aside before it is replaced: ${
        shorten(keep)
      } ` +
        `(to ${place.root}/.grid/sync/${place.key}/kept/${stamp}; back with: grid sync --as ${
          quote(place.name)
        } ` +
        `--to ${target.node} --undo)`,
    );
  }
  if (stay.size > 0) {
    const names = shorten([...stay].toSorted(comparePaths));
    tell?.(`Not written by Grid on ${target.node}, and left as it is: ${names}`);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** In front of a name: `./`, or a sum and what stands around it. */
const NAME_BYTES = 4;
const SUM_BYTES = 80;
/** The longest target that Linux knows. */
const TARGET_BYTES = 4096 + NAME_BYTES;

/** What a node told of paths that it was asked about. */
interface Looked {
  /** Files in the way of what is to come whose content no sync has put there. */
  readonly others: ReadonlySet<string>;
  /** Whether it told that this is there just so. */
  has(entry: Entry): boolean;
  /** Whether it told that a file or a link is there. */
  readonly isLeaf: (path: string) => boolean;
}

async function lookAtNode(talk: Conversation, input: LookInput): Promise<Looked> {
  const asked = pathsToLookAt(input);
  if (asked.length === 0) return { others: new Set(), has: () => false, isLeaf: () => false };
  const list = encoder.encode(listOf(asked));
  await talk.write(encoder.encode(`look ${list.length}\n`));
  await talk.write(list);
  // Each name that was asked for comes back once at most.
  const most = (each: number) => ({
    bytes: list.length + (asked.length + 1) * each,
    what: "names of files",
  });
  const line = await talk.line();
  const [, seenBytes, sumBytes, targetBytes] =
    /^seen (\d{1,15}) (\d{1,15}) (\d{1,15})$/.exec(line) ?? [];
  if (seenBytes === undefined) throw problemOf(line, await talk.rest(), input);
  const seen = decoder.decode(await talk.bytes(Number(seenBytes), most(NAME_BYTES))).split("\0")
    .map(unlisted);
  const sums = decoder.decode(await talk.bytes(Number(sumBytes), most(SUM_BYTES)));
  const targets = decoder.decode(await talk.bytes(Number(targetBytes), most(TARGET_BYTES)));
  return judgeAnswer(input, { asked, seen: new Set(seen), sums, targets: readTargets(targets) });
}

/** As it stood before it was listed, see `listOf`; a folder ends in `/`. */
function unlisted(path: string): string {
  return path === "./-" || path === "./-/" ? path.slice(2) : path;
}

function pathsToLookAt({ plan, known, pending, rows, state, ...input }: LookInput): string[] {
  if (!state.isThere) return [];
  const isInterrupted = state.verdict === "interrupted";
  const touched = [
    ...plan.send.filter((entry) => entry.type !== "folder").map((entry) => entry.path),
    ...plan.clear,
    // An ordinary sync leaves what has changed there; one that repairs must tell its own from it.
    ...isInterrupted ? [...plan.remove, ...plan.kept, ...parentsOf(known)] : [],
    // Nobody may take it for there without having seen it.
    ...pending.map((entry) => entry.path).filter((path) => !input.delete || input.isUnread(path)),
  ];
  const asked = new Set(touched);
  const isSure = (path: string) =>
    !isInterrupted && !rows.changed.has(path) && hasPath(known, path);
  // Below a folder that is a link now nothing is ours, and nothing is touched.
  const isReached = (path: string) => !isBelow(rows.displaced, path);
  return [...asked]
    .filter((path) => !isSure(path) && !rows.missing.has(path) && isReached(path))
    .toSorted(comparePaths);
}

interface LookAnswer {
  readonly asked: readonly string[];
  readonly seen: ReadonlySet<string>;
  /** Of `sha256sum`, over those of `seen` that are files, in the same order. */
  readonly sums: string;
  /** Of those of `seen` that are links, by path. */
  readonly targets: ReadonlyMap<string, string>;
}

function readTargets(text: string): ReadonlyMap<string, string> {
  const words = text.split("\0");
  const targets = new Map<string, string>();
  for (let at = 0; at + 2 < words.length; at += 2) {
    targets.set(unlisted(words[at] ?? ""), words[at + 1] ?? "");
  }
  return targets;
}

function judgeAnswer(input: LookInput, { asked, seen, sums, targets }: LookAnswer): Looked {
  const there = asked.filter((path) => seen.has(path)) as RelativePath[];
  const found = readSums(sums, there, "");
  const contentOf = (path: string) => {
    const target = targets.get(path);
    return target === undefined
      ? `file sha256:${found.get(path as RelativePath)}`
      : `link ${target}`;
  };
  const ours = new Map<string, Set<string>>();
  for (const { path, type, content } of [...input.known, ...input.wanted]) {
    const contents = ours.get(path) ?? new Set();
    ours.set(path, contents.add(`${type} ${content}`));
  }
  return {
    others: new Set(there.filter((path) => !ours.get(path)?.has(contentOf(path)))),
    has: ({ path, type, content }) =>
      type === "folder"
        ? seen.has(`${path}/`)
        : seen.has(path) && contentOf(path) === `${type} ${content}`,
    isLeaf: (path) => seen.has(path),
  };
}

/** @throws {GridError} `sync` naming what stands in the way, where that is asked for */
export function refuseDrift(
  others: readonly string[],
  { onDrift, target, place }: {
    readonly onDrift: OnDrift;
    readonly target: SyncTarget;
    readonly place: Place;
  },
): void {
  if (onDrift !== "fail" || others.length === 0) return;
  throw new GridError({
    code: "sync",
    message: `Cannot sync "${place.name}" to "${target.node}": not as Grid left it there: ${
      shorten(others)
    }`,
    hint: "Nothing was changed. With on-drift: backup they are moved aside, with keep they stay",
    node: target.node,
  });
}

function shorten(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
