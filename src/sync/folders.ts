/** `syncFolders`: one walk, one hash of each file, then every node is brought up to date. */
import { relative } from "node:path";
import { GridError } from "../core/errors.ts";
import { quoteAll } from "../core/shell.ts";
import { applySync } from "./apply.ts";
import type { Entry } from "./entry.ts";
import { openHashCache } from "./hash_cache.ts";
import { hashFound } from "./hash.ts";
import { openIgnoreRules } from "./ignore.ts";
import { writeManifest } from "./manifest.ts";
import { type Place, placeOf } from "./place.ts";
import { shellText } from "./shell_text.ts";
import type { SyncFolders, SyncOptions, SyncReport, SyncResult, SyncTarget } from "./sync.ts";
import { type Skipped, type Walk, walkSource } from "./walk.ts";

/** How long to wait for another sync of the same folder on the same node. */
const PATIENCE_SECONDS = 600;

interface Source {
  readonly wanted: readonly Entry[];
  readonly skipped: readonly Skipped[];
  /** Digest of the manifest of `wanted`. */
  readonly digest: string;
}

export const syncFolders: SyncFolders = async (targets, options) => {
  const places = targets.map((target) => ({ target, place: placeOf(target.root, options.as) }));
  const source = await readSource(options, targets);
  const results: SyncResult[] = [];
  const queue = places.entries();
  const worker = async () => {
    for (const [index, { target, place }] of queue) {
      results[index] = await settle(target, () => syncOne(source, { ...options, target, place }));
    }
  };
  const workers = Math.max(1, Math.min(options.maxParallelTransfers, places.length));
  await Promise.all(Array.from({ length: workers }, worker));
  return results;
};

async function readSource(
  options: SyncOptions,
  targets: readonly SyncTarget[],
): Promise<Source> {
  const walk = await walkForSync(options, targets);
  const cache = openHashCache({ folder: options.cacheFolder, source: options.source });
  const hashed = await hashFound(walk.found, { ...options, cache });
  cache.save();
  return {
    wanted: hashed.entries,
    skipped: [...walk.skipped, ...hashed.skipped],
    digest: writeManifest(hashed.entries).digest,
  };
}

function walkForSync(options: SyncOptions, targets: readonly SyncTarget[]): Promise<Walk> {
  const rules = openIgnoreRules({
    ...options,
    exclude: [...options.exclude, ...workspacesInside(options.source, targets)],
  });
  return walkSource({ ...options, rules });
}

/** A workspace on this machine may lie inside the source; it must not be copied into itself. */
function workspacesInside(source: string, targets: readonly SyncTarget[]): string[] {
  return targets.filter((target) => target.transport.endpoint.transport === "local")
    .map((target) => relative(source, target.root))
    .filter((path) => path !== "" && path !== ".." && !path.startsWith("../"))
    .map((path) => `/${path.replaceAll(/[\\*?[\] ]/g, "\\$&")}/`);
}

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

interface OneOptions extends SyncOptions {
  readonly target: SyncTarget;
  readonly place: Place;
}

async function syncOne(source: Source, options: OneOptions): Promise<SyncReport> {
  const startedAt = performance.now();
  const { target, place } = options;
  options.signal.throwIfAborted();
  const total = source.wanted.filter((entry) => entry.type !== "folder").length;
  const nothing = { sent: 0, deleted: 0, bytes: 0, drifted: [], skipped: source.skipped };
  const report = await isUpToDate(source, options) ? nothing : await applyChanges(source, options);
  return {
    node: target.node,
    folder: place.folder,
    total,
    ...report,
    durationMs: performance.now() - startedAt,
  };
}

/** One round trip, and nothing is changed. */
async function isUpToDate(source: Source, { target, place, signal }: OneOptions): Promise<boolean> {
  const words = quoteAll([place.root, place.name, place.key]);
  const answer = await target.transport.exec(`set -- ${words}\n${shellText("check.sh")}`, {
    signal,
  });
  const said = answer.stdout.split("\n").find((line) => line.startsWith("grid-sync "));
  if (said === undefined) {
    throw new GridError({
      code: "sync",
      message: `Cannot look at "${place.name}" on "${target.node}": ` +
        (answer.stderr.trim().split("\n").at(-1) || `exit code ${answer.code}`),
      hint: `Try: grid run --node ${target.node} "ls -la ${place.root}"`,
      node: target.node,
    });
  }
  return said === `grid-sync ${source.digest} same`;
}

async function applyChanges(source: Source, options: OneOptions) {
  const { plan, bytes, torn } = await applySync({
    ...options,
    wanted: source.wanted,
    patienceSeconds: PATIENCE_SECONDS,
  });
  const unsent = new Set(torn);
  const isSent = (entry: Entry) => entry.type !== "folder" && !unsent.has(entry.path);
  return {
    sent: plan.send.filter(isSent).length,
    deleted: plan.remove.length,
    bytes,
    drifted: plan.drifted,
    skipped: [
      ...source.skipped,
      ...torn.map((path) => ({ path, reason: "it changed while it was being sent" })),
      ...plan.kept.map((path) => ({
        path,
        reason: "gone from the source, but changed on the node; left there",
      })),
    ],
  };
}
