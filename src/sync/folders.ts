/** `syncFolders`: one walk, one hash of each file, then every node is brought up to date. */
import { monotonic, systemClock } from "../core/clock.ts";
import { applySync } from "./apply.ts";
import { type CheckAnswer, checkNode } from "./check.ts";
import { type Place, placeOf } from "./place.ts";
import { claimTree, lookForTree, type TreeLook, type TreeOptions } from "./tree_choice.ts";
import { type ContentDigest, contentDigest } from "./content.ts";
import type { Preparation } from "./conversation.ts";
import type { Sent } from "./deliver.ts";
import { type Entry, foldersAbove } from "./entry.ts";
import { recallManifest, rememberManifest } from "./manifest_cache.ts";
import { prepareNodeSync } from "./node_state.ts";
import { Source } from "./source.ts";
import type {
  DigestSource,
  SyncFolders,
  SyncOptions,
  SyncReport,
  SyncResult,
  SyncTarget,
} from "./sync.ts";
import { asFolder, findSource, walkForSync } from "./walk_for_sync.ts";

/** How long to wait for another sync of the same folder on the same node. */
const PATIENCE_SECONDS = 600;

/** From here on it pays to log in once more for them; see `Transport.expectBulk`. */
const BULK_BYTES = 16 * 2 ** 20;

/** Stands in a pin while it is open what code the tree will hold. */
const UNDECIDED = "?";

/** A node and what it said when it was asked, or why it did not. */
interface Asked {
  readonly target: SyncTarget;
  readonly answer: Promise<Standing | TreeLook>;
}

/** The folder that the code goes to, and what the node said of it. */
interface Standing {
  readonly place: Place;
  readonly checked: CheckAnswer;
}

export const syncFolders: SyncFolders = async (targets, given) => {
  const options = asFolder(given);
  // The nodes look at what they have while this machine looks at its own files.
  const asked = targets.map((target) => ({ target, answer: askNode(target, options) }));
  const answers = Promise.allSettled(asked.map((it) => it.answer));
  const { phase } = options;
  answers.then(() => phase?.("nodes answered"));
  const looked = (bytes: number) => {
    if (bytes >= BULK_BYTES) { for (const one of asked) void expectBulk(one); }
  };
  await using ahead = new Ahead(options.signal);
  const differs = () => {
    // The others come when these are done.
    for (const target of targets.slice(0, options.maxParallelTransfers)) ahead.prepare(target);
  };
  const found = findSource({ ...options, looked, differs }, targets);
  found.then(() => phase?.("source found"), () => {});
  const look = await found.catch(async (error) => {
    await answers;
    throw error;
  });
  using source = new Source(look, options, targets.filter(isFar).length);
  // What changed is read while the nodes look.
  if (source.isChanged) source.hashed().catch(() => {});
  for (const one of asked) void packAhead(source, one);
  const digestOf = contentDigest(options.fetchTargets);
  const results: SyncResult[] = [];
  const queue = asked.entries();
  const worker = async () => {
    for (const [index, one] of queue) {
      results[index] = await settle(
        one.target,
        () => syncOne(source, { ...options, ...one, digestOf, ahead }),
      );
    }
  };
  const workers = Math.max(1, Math.min(options.maxParallelTransfers, asked.length));
  await Promise.all(Array.from({ length: workers }, worker));
  await answers;
  phase?.("nodes done");
  await source.save();
  phase?.("saved");
  return results;
};

/** What it lacks has to travel there. */
function isFar({ transport }: SyncTarget): boolean {
  return transport.isHere !== true;
}

/** Where a node has nothing, all of it will be sent. */
async function expectBulk({ target, answer }: Asked): Promise<void> {
  if (await hasNothing(answer)) void target.transport.expectBulk?.();
}

/** Where a node has nothing, all of it is packed while the link for it comes up. */
async function packAhead(source: Source, { target, answer }: Asked): Promise<void> {
  if (isFar(target) && await hasNothing(answer)) source.packs.begin(source.recalled);
}

async function hasNothing(answer: Asked["answer"]): Promise<boolean> {
  const said = await answer.catch(() => undefined);
  const there = said === undefined || "checked" in said ? said?.checked : said.chosen;
  return there !== undefined && there.digest === undefined;
}

async function askNode(
  target: SyncTarget,
  options: SyncOptions,
): Promise<Standing | TreeLook> {
  const place = placeOf(target.root, options.as);
  const tree = treeOptions(target, options);
  if (tree !== undefined) {
    options.tree?.keeper.ask(tree);
    return await lookForTree(tree);
  }
  return { place, checked: await checkNode({ target, place, signal: options.signal }) };
}

function treeOptions(
  target: SyncTarget,
  { tree, as, signal }: SyncOptions,
): TreeOptions | undefined {
  if (tree === undefined) return undefined;
  return { target, as, signal, run: tree.run, now: systemClock.now(), tell: tree.tell };
}

/** Where others are in the way, what becomes of it depends on what code it is. */
async function standingOf(source: Source, options: OneOptions): Promise<Standing> {
  const answer = await options.answer;
  if ("checked" in answer) return answer;
  const tree = treeOptions(options.target, options);
  if (tree === undefined) throw new Error("a tree was looked for that nobody asked for");
  const { place, digest, isAsLeft } = answer.chosen ??
    await claimTree((await source.hashed()).manifest.digest, answer, tree);
  options.tree?.keeper.hold({ ...tree, key: place.key, digest: UNDECIDED });
  return { place, checked: { digest, isAsLeft } };
}

/** Folders of the source that travel as such, since nothing in them does; relative to it. */
export async function emptyFolders(given: SyncOptions): Promise<string[]> {
  const { found } = await walkForSync(asFolder(given), []);
  const others = found.filter(({ type }) => type !== "folder");
  const used = new Set(others.flatMap(({ path }) => foldersAbove(path)));
  return found.flatMap(({ path, type }) => type === "folder" && !used.has(path) ? [path] : []);
}

export const digestSource: DigestSource = async (given) => {
  const options = asFolder(given);
  using source = new Source(await findSource(options, []), options);
  const hashed = await source.hashed();
  await source.save();
  return contentDigest(options.fetchTargets)(hashed);
};

async function settle(
  target: SyncTarget,
  work: () => Promise<SyncReport>,
): Promise<SyncResult> {
  try {
    return { ok: true, report: await work() };
  } catch (error) {
    return { ok: false, node: target.node, error };
  }
}

interface OneOptions extends SyncOptions, Asked {
  readonly digestOf: ContentDigest;
  readonly ahead: Ahead;
}

async function syncOne(source: Source, options: OneOptions): Promise<SyncReport> {
  const startedAt = monotonic();
  const { target } = options;
  options.signal.throwIfAborted();
  await using prepared = options.ahead.take(target, source);
  const { place, checked } = await standingOf(source, options);
  const isUpToDate = checked.isAsLeft && !source.isChanged &&
    checked.digest === (await source.hashed()).digest;
  const changes = isUpToDate
    ? await noChanges(source, options)
    : await applyChanges(source, { ...options, place, checked, prepared });
  const { held, ...done } = changes;
  return {
    node: target.node,
    folder: place.folder,
    total: source.leaves,
    ...done,
    ...holdTree(held, { ...options, place }),
    skipped: [...source.skipped, ...changes.skipped],
    durationMs: monotonic() - startedAt,
  };
}

/** Programs of nodes that have been started, and wait for their words. */
class Ahead implements AsyncDisposable {
  readonly #signal: AbortSignal;
  readonly #prepared = new Map<SyncTarget, Preparation>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  prepare(target: SyncTarget): void {
    this.#prepared.set(target, prepareNodeSync(target, this.#signal));
  }

  /** Whoever takes it ends it. Undefined where nothing says yet that there is something to do. */
  take(target: SyncTarget, { isChanged }: Pick<Source, "isChanged">): Preparation | undefined {
    const known = this.#prepared.get(target);
    this.#prepared.delete(target);
    return known ?? (isChanged ? prepareNodeSync(target, this.#signal) : undefined);
  }

  /** Of those that nobody took. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#prepared.values()].map((one) => one[Symbol.asyncDispose]()));
  }
}

/** What is on the node now. */
interface Held {
  readonly digest: string;
  readonly entries: readonly Entry[];
}

function holdTree(
  held: Held,
  { tree, source, as, target, place }: OneOptions & { readonly place: Place },
): Pick<SyncReport, "tree"> {
  if (tree === undefined) return {};
  const { root, key, folder } = place;
  const { digest, entries } = held;
  tree.keeper.hold({ target, as, key, digest });
  tree.brought?.(source, entries);
  return { tree: { root, key, folder, digest, entries: entries.length, writes: tree.writes } };
}

async function noChanges(source: Source, { digestOf }: OneOptions) {
  const nothing = { sent: 0, deleted: 0, bytes: 0, drifted: [], skipped: [] };
  // Its list is made when somebody asks for it.
  const held = await source.hashed();
  return { ...nothing, digest: digestOf(held), held };
}

interface ApplyOneOptions extends OneOptions, Standing {
  readonly prepared: Preparation | undefined;
}

async function applyChanges(source: Source, options: ApplyOneOptions) {
  const { checked, cacheFolder, digestOf } = options;
  let isKept = false;
  const keep = ({ packed, record, manifest }: Sent) => {
    rememberManifest(cacheFolder, manifest);
    source.learn({ sent: packed.sent, record, digest: manifest.digest });
    isKept = true;
  };
  const applied = await applySync({
    ...options,
    ahead: options.prepared,
    source,
    sent(sent) {
      keep(sent);
      // The node is at work meanwhile. Whoever saves at the end hears of it.
      source.save().catch(() => {});
    },
    remembered: checked.digest === undefined
      ? undefined
      : source.manifestOf(checked.digest) ?? recallManifest(cacheFolder, checked.digest),
    patienceSeconds: PATIENCE_SECONDS,
  });
  if (!isKept) keep(applied);
  const { plan, packed, record, manifest } = applied;
  return {
    sent: packed.sent.filter((entry) => entry.type !== "folder").length,
    deleted: plan.remove.length,
    bytes: packed.bytes,
    digest: digestOf({ entries: record, digest: manifest.digest }),
    held: { digest: manifest.digest, entries: record },
    drifted: plan.drifted,
    skipped: [
      ...packed.torn,
      ...plan.kept.map((path) => ({
        path,
        reason: "gone from the source, but changed on the node; left there",
      })),
    ],
  };
}
