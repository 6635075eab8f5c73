/** `syncFolders`: one walk, one hash of each file, then every node is brought up to date. */
import { monotonic } from "../core/clock.ts";
import { applySync } from "./apply.ts";
import { type CheckAnswer, checkNode } from "./check.ts";
import { type Place, placeOf } from "./place.ts";
import { type ContentDigest, contentDigest } from "./content.ts";
import { recallManifest, rememberManifest } from "./manifest_cache.ts";
import { Source } from "./source.ts";
import type {
  DigestSource,
  SyncFolders,
  SyncOptions,
  SyncReport,
  SyncResult,
  SyncTarget,
} from "./sync.ts";
import { walkForSync } from "./walk_for_sync.ts";

/** How long to wait for another sync of the same folder on the same node. */
const PATIENCE_SECONDS = 600;

/** A node and what it said when it was asked, or why it did not. */
interface Asked {
  readonly target: SyncTarget;
  readonly place: Place;
  readonly answer: Promise<CheckAnswer>;
}

export const syncFolders: SyncFolders = async (targets, options) => {
  const places = targets.map((target) => ({ target, place: placeOf(target.root, options.as) }));
  // The nodes look at what they have while this machine looks at its own files.
  const asked = places.map((it) => ({
    ...it,
    answer: checkNode({ ...it, signal: options.signal }),
  }));
  const answers = Promise.allSettled(asked.map((it) => it.answer));
  const walk = await walkForSync(options, targets).finally(() => answers);
  const source = new Source(walk, options);
  const digestOf = contentDigest(options.comesHome);
  const results: SyncResult[] = [];
  const queue = asked.entries();
  const worker = async () => {
    for (const [index, one] of queue) {
      results[index] = await settle(
        one.target,
        () => syncOne(source, { ...options, ...one, digestOf }),
      );
    }
  };
  const workers = Math.max(1, Math.min(options.maxParallelTransfers, asked.length));
  await Promise.all(Array.from({ length: workers }, worker));
  source.cache.save();
  return results;
};

export const digestSource: DigestSource = async (options) => {
  const source = new Source(await walkForSync(options, []), options);
  const { entries, manifest } = await source.hashed();
  source.cache.save();
  return contentDigest(options.comesHome)({ entries, digest: manifest.digest });
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
}

async function syncOne(source: Source, options: OneOptions): Promise<SyncReport> {
  const startedAt = monotonic();
  const { target, place } = options;
  options.signal.throwIfAborted();
  const checked = await options.answer;
  const isUpToDate = checked.isAsLeft && checked.digest === (await source.hashed()).manifest.digest;
  const changes = isUpToDate
    ? await noChanges(source, options)
    : await applyChanges(source, { ...options, checked });
  return {
    node: target.node,
    folder: place.folder,
    total: source.recalled.filter((entry) => entry.type !== "folder").length,
    ...changes,
    skipped: [...source.skipped, ...changes.skipped],
    durationMs: monotonic() - startedAt,
  };
}

async function noChanges(source: Source, { digestOf }: OneOptions) {
  const { entries, manifest: { digest } } = await source.hashed();
  const nothing = { sent: 0, deleted: 0, bytes: 0, drifted: [], skipped: [] };
  return { ...nothing, digest: digestOf({ entries, digest }) };
}

async function applyChanges(source: Source, options: OneOptions & { checked: CheckAnswer }) {
  const { checked, cacheFolder, digestOf } = options;
  const { plan, packed, record, manifest } = await applySync({
    ...options,
    source,
    remembered: checked.digest === undefined
      ? undefined
      : recallManifest(cacheFolder, checked.digest),
    patienceSeconds: PATIENCE_SECONDS,
  });
  rememberManifest(cacheFolder, manifest);
  for (const entry of packed.sent) {
    if (entry.type === "file") source.cache.set(entry.path, entry.state, entry.content);
  }
  return {
    sent: packed.sent.filter((entry) => entry.type !== "folder").length,
    deleted: plan.remove.length,
    bytes: packed.bytes,
    digest: digestOf({ entries: record, digest: manifest.digest }),
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
