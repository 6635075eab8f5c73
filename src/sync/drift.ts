/** What others wrote into a folder that Grid fills: found before a byte of it is replaced. */
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { newRunId } from "../core/ids.ts";
import { quote } from "../core/shell.ts";
import type { RelativePath } from "../core/relative_path.ts";
import type { Conversation } from "./conversation.ts";
import { comparePaths, type Entry, foldersAbove, sameEntry } from "./entry.ts";
import { readSums } from "./fetch_sums.ts";
import type { SourceEntry } from "./hash.ts";
import { listOf } from "./manifest.ts";
import { type Plan, planSync } from "./plan.ts";
import { problemOf } from "./problem.ts";
import type { NodeState } from "./node_state.ts";
import { unreadTest } from "./read_problem.ts";
import type { Source } from "./source.ts";
import type { RowComparison } from "./rows.ts";
import type { OnDrift } from "./sync.ts";
import type { Place } from "./place.ts";
import type { SyncTarget } from "./sync.ts";

interface DriftInput {
  readonly target: SyncTarget;
  readonly place: Place;
  readonly plan: Plan;
  readonly wanted: readonly Entry[];
  /** What the last sync left, and what one that broke off may have brought. */
  readonly known: readonly Entry[];
  readonly rows: RowComparison;
  /** Whether the folder exists at all. */
  readonly isThere: boolean;
  readonly isInterrupted: boolean;
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
  const drift = { ...options, plan, wanted, known, rows, isThere: state.isThere, isInterrupted };
  const others = await findOthers(talk, drift);
  if (!isInterrupted) return { wanted, known, plan, isUnread, others };
  // What a sync that broke off has moved in already is nobody's edit.
  const before = new Set(recorded.map((entry) => entry.path));
  const repair = planSync({ ...input, isEdited: (path) => others.has(path) });
  const drifted = [...others].filter((path) => before.has(path)).toSorted(comparePaths);
  return { wanted, known, plan: { ...repair, drifted }, isUnread, others };
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

/** Files in the way of what is to come whose content no sync has put there; sorted. */
async function findOthers(
  talk: Conversation,
  input: DriftInput,
): Promise<ReadonlySet<string>> {
  const asked = pathsToLookAt(input);
  if (asked.length === 0) return new Set();
  const list = encoder.encode(listOf(asked));
  await talk.write(encoder.encode(`look ${list.length}\n`));
  await talk.write(list);
  // Each name that was asked for comes back once at most.
  const most = (each: number) => ({
    bytes: list.length + (asked.length + 1) * each,
    what: "names of files",
  });
  const line = await talk.line();
  const [, seenBytes, sumBytes] = /^seen (\d{1,15}) (\d{1,15})$/.exec(line) ?? [];
  if (seenBytes === undefined) throw problemOf(line, await talk.rest(), input);
  const seen = decoder.decode(await talk.bytes(Number(seenBytes), most(NAME_BYTES))).split("\0")
    .map((path) => path === "./-" ? "-" : path);
  const sums = decoder.decode(await talk.bytes(Number(sumBytes), most(SUM_BYTES)));
  return othersAmong(input, { asked, seen: new Set(seen), sums });
}

function pathsToLookAt({ plan, known, rows, isThere, isInterrupted }: DriftInput): string[] {
  if (!isThere) return [];
  const ours = new Set(known.map((entry) => entry.path));
  const touched = [
    ...plan.send.filter((entry) => entry.type !== "folder").map((entry) => entry.path),
    ...plan.clear,
    // An ordinary sync leaves what has changed there; one that repairs must tell its own from it.
    ...isInterrupted ? [...plan.remove, ...plan.kept] : [],
  ];
  const isSure = (path: string) => ours.has(path) && !rows.changed.has(path) && !isInterrupted;
  // Below a folder that is a link now nothing is ours, and nothing is touched.
  const isReached = (path: string) => !foldersAbove(path).some((it) => rows.displaced.has(it));
  return [...new Set(touched)]
    .filter((path) => !isSure(path) && !rows.missing.has(path) && isReached(path))
    .toSorted(comparePaths);
}

interface LookAnswer {
  readonly asked: readonly string[];
  readonly seen: ReadonlySet<string>;
  /** Of `sha256sum`, over those of `seen` that are files, in the same order. */
  readonly sums: string;
}

function othersAmong(input: DriftInput, { asked, seen, sums }: LookAnswer): Set<string> {
  const there = asked.filter((path) => seen.has(path)) as RelativePath[];
  const found = readSums(sums, there, "");
  const ours = new Map<string, Set<string>>();
  for (const entry of [...input.known, ...input.wanted]) {
    const contents = ours.get(entry.path) ?? new Set();
    ours.set(entry.path, contents.add(entry.content));
  }
  return new Set(there.filter((path) => {
    const sum = found.get(path);
    return sum === undefined || !ours.get(path)?.has(`sha256:${sum}`);
  }));
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
