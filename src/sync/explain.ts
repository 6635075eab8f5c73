/** What a sync would do and why, without doing it. The node's lock is held for a moment. */
import { systemClock } from "../core/clock.ts";
import { quote } from "../core/shell.ts";
import { type CheckAnswer, checkNode } from "./check.ts";
import { toGridError } from "../core/errors.ts";
import { judge, type Judged, keepOf, refuseDrift } from "./drift.ts";
import { comparePaths, type Entry } from "./entry.ts";
import { recallWhole } from "./manifest_cache.ts";
import { readState, startNodeSync } from "./node_state.ts";
import { type Place, placeOf } from "./place.ts";
import { peekAtTree } from "./tree_choice.ts";
import { refuseLargeDelete } from "./preflight.ts";
import { planSync, reasonToSend, type SendReason } from "./plan.ts";
import type { Skipped } from "./read_problem.ts";
import { Source } from "./source.ts";
import type { SyncOptions, SyncTarget } from "./sync.ts";
import { asFolder, walkForSync } from "./walk_for_sync.ts";

export interface SyncExplanation {
  readonly node: string;
  /** Absolute folder on the node. */
  readonly folder: string;
  /** Files and links that would be sent; folders are left out. */
  readonly send: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly reason: SendReason;
  }[];
  /** Files that the source no longer has and an earlier sync put there. */
  readonly remove: readonly string[];
  /** Gone from the source, but changed on the node, and so left there. */
  readonly kept: readonly string[];
  /** Not written by Grid, and in the way of what would be sent: moved aside, unless told otherwise. */
  readonly others: readonly string[];
  /** `on-drift: keep`: those stay, and what would take their place is not sent. */
  readonly stay: readonly string[];
  readonly unchanged: number;
  /** Why it would not be done. */
  readonly refused?: string;
}

export interface SourceExplanation {
  /** Paths left out by a rule; an ignored folder stands for all that it holds. */
  readonly ignored: readonly {
    readonly path: string;
    /** Where the rule stands: an ignore file, or `exclude` for the configuration and the step. */
    readonly from: string;
    readonly pattern: string;
  }[];
  /** Things that cannot be synced, with the reason. */
  readonly skipped: readonly Skipped[];
  readonly nodes: readonly SyncExplanation[];
}

/** @throws {GridError} as `syncFolders` reports it, but for the first node that fails */
export async function explainSync(
  targets: readonly SyncTarget[],
  given: SyncOptions,
): Promise<SourceExplanation> {
  const options = asFolder(given);
  const walk = await walkForSync(options, targets);
  const source = new Source(walk, options);
  const nodes = [];
  for (const target of targets) nodes.push(await explainNode(source, { ...options, target }));
  await source.save();
  const ignored = walk.ignored.map(({ path, rule }) => ({ path, ...rule }));
  return { ignored, skipped: source.skipped, nodes };
}

async function explainNode(
  source: Source,
  options: SyncOptions & { readonly target: SyncTarget },
): Promise<SyncExplanation> {
  const { target, signal } = options;
  const { place, checked } = await standingOf(options);
  const remembered = checked.digest === undefined
    ? undefined
    : recallWhole(options.cacheFolder, checked.digest);
  const judged = await readNode(source, { ...options, place, checked, remembered, signal });
  const { known, plan, wanted, others } = judged;
  const context = {
    known: new Map(known.map((entry) => [entry.path, entry])),
    drifted: new Set(plan.drifted),
  };
  const send = plan.send.filter(isLeaf).map((entry) => ({
    path: entry.path,
    bytes: entry.size,
    reason: reasonToSend(entry, context),
  }));
  const unchanged = wanted.filter(isLeaf).length - send.length;
  const inTheWay = keepOf(plan, others);
  const isLeft = options.onDrift === "keep";
  const refused = refusalOf(judged, { ...options, place, folder: source.folder });
  return {
    node: target.node,
    folder: place.folder,
    send: isLeft ? send.filter(({ path }) => !others.has(path)) : send,
    remove: plan.remove,
    kept: plan.kept,
    others: isLeft ? [] : inTheWay,
    stay: isLeft ? inTheWay : [],
    unchanged,
    ...(refused !== undefined && { refused }),
  };
}

interface RefusalOptions extends SyncOptions {
  readonly target: SyncTarget;
  readonly place: Place;
  /** Absolute source folder. */
  readonly folder: string;
}

function refusalOf(
  { plan, wanted, known, others }: Judged,
  options: RefusalOptions,
): string | undefined {
  const { onDrift = "backup" } = options;
  try {
    refuseLargeDelete(plan, { ...options, wanted, known });
    refuseDrift([...others].toSorted(comparePaths), { ...options, onDrift });
    return undefined;
  } catch (error) {
    const { message, hint } = toGridError(error);
    return hint === undefined ? message : `${message}. ${hint}`;
  }
}

/** Where the code would go, unless others are in the way. */
async function standingOf(
  { target, as, tree, signal }: SyncOptions & { readonly target: SyncTarget },
): Promise<{ readonly place: Place; readonly checked: CheckAnswer }> {
  if (tree !== undefined) {
    const now = systemClock.now();
    const peeked = await peekAtTree({ target, as, run: tree.run, signal, now, tell: tree.tell });
    return { place: peeked.place, checked: peeked };
  }
  const place = placeOf(target.root, as);
  return { place, checked: await checkNode({ target, place, signal }) };
}

interface ReadOptions extends Omit<Parameters<typeof startNodeSync>[0], "patienceSeconds"> {
  readonly delete: boolean;
}

async function readNode(source: Source, options: ReadOptions): Promise<Judged> {
  const { checked, place, target, signal } = options;
  if (checked.digest === undefined) {
    // Nothing is there at all: do not even make Grid's own folder.
    const test = `[ -e ${quote(place.folder)} ] && echo there`;
    const { stdout } = await target.transport.exec(test, { signal });
    if (stdout.trim() !== "there") {
      const { entries } = await source.hashed();
      const none = new Set<string>();
      const rows = { changed: none, missing: none, displaced: none };
      const plan = planSync({ wanted: entries, known: [], ...rows, delete: options.delete });
      const isThere = () => true;
      return { wanted: entries, known: [], plan, isUnread: () => false, others: none, isThere };
    }
  }
  const waiting = { ...options, patienceSeconds: 10 };
  await using talk = await startNodeSync(waiting);
  const state = await readState(talk, waiting);
  const judged = await judge(talk, { ...options, source, state });
  await talk.write(new TextEncoder().encode("stop\n"));
  return judged.wanted === source.recalled
    ? { ...judged, wanted: (await source.hashed()).entries }
    : judged;
}

function isLeaf(entry: Entry): boolean {
  return entry.type !== "folder";
}
