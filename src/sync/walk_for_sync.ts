/** The walk of a sync: the options' rules, and what must never be copied into itself. */
import { statSync } from "node:fs";
import { basename, dirname, relative } from "node:path";
import { systemClock } from "../core/clock.ts";
import { printable } from "./fetch_listing.ts";
import type { Guard } from "./guards.ts";
import { openIgnoreRules } from "./ignore.ts";
import { type KnownSource, type KnownSourceOptions, recognizeSource } from "./known_source.ts";
import { lfsPointers, usesLfs } from "./lfs.ts";
import type { SyncOptions, SyncTarget } from "./sync.ts";
import { type Walk, type WalkOptions, walkSource } from "./walk.ts";

/** The source as a folder: of a single file the one that it lies in, and its name. */
export function asFolder(options: SyncOptions): SyncOptions {
  const isFile = statSync(options.source, { throwIfNoEntry: false })?.isFile() ?? false;
  if (!isFile) return options;
  return { ...options, source: dirname(options.source), only: basename(options.source) };
}

export interface SyncWalk extends Walk {
  /** How it can be known again, and what lies outside of it and decides about it. */
  readonly known?: KnownSourceOptions & { readonly guards: readonly Guard[] };
}

export type WalkForSyncOptions =
  & SyncOptions
  & Pick<WalkOptions, "looked">
  & Pick<KnownSourceOptions, "differs">;

/** `options` as `asFolder` gives them. */
export async function walkForSync(
  options: WalkForSyncOptions,
  targets: readonly SyncTarget[],
  nowMs = systemClock.now(),
): Promise<SyncWalk> {
  const known = knownOptions(options, targets, nowMs);
  const rules = openIgnoreRules({ ...options, exclude: excludeOf(options, targets) });
  const walk = await walkSource({ ...options, rules });
  if (usesLfs(options.source, walk.found)) {
    tellPointers(lfsPointers(options.source, walk.found), options);
    return walk;
  }
  return known === undefined ? walk : { ...walk, known: { ...known, guards: rules.guards() } };
}

/**
 * The source as it was found before, where that is enough; else it is walked.
 *
 * @param nowMs milliseconds since the Unix epoch; now, unless a test says otherwise
 */
export async function findSource(
  options: WalkForSyncOptions,
  targets: readonly SyncTarget[],
  nowMs = systemClock.now(),
): Promise<KnownSource | SyncWalk> {
  const known = knownOptions(options, targets, nowMs);
  return await (known && recognizeSource(known)) ?? await walkForSync(options, targets, nowMs);
}

/** Undefined where more than the list of files and rules decides. */
function knownOptions(
  { source, cacheFolder, signal, worthKnowing, differs, ...options }: WalkForSyncOptions,
  targets: readonly SyncTarget[],
  startedAtMs: number,
): KnownSourceOptions | undefined {
  if (options.followSymlinks || options.only !== undefined || !options.useChecksums) {
    return undefined;
  }
  const words = [excludeOf({ source, ...options }, targets), options.excludeFrom];
  return { source, cacheFolder, signal, words, differs, startedAtMs, worthEntries: worthKnowing };
}

function excludeOf(
  { exclude, source }: Pick<SyncOptions, "exclude" | "source">,
  targets: readonly SyncTarget[],
): string[] {
  return [...exclude, ...workspacesInside(source, targets)];
}

function tellPointers(paths: readonly string[], { tell, tree }: SyncOptions): void {
  if (paths.length === 0) return;
  const shown = paths.slice(0, 5).map(printable).join(", ");
  const more = paths.length > 5 ? ` and ${paths.length - 5} more` : "";
  (tell ?? tree?.tell)?.(
    `Only a pointer of Git LFS, without its content: ${shown}${more}; get it with: git lfs pull`,
  );
}

/** A workspace on this machine may lie inside the source; it must not be copied into itself. */
function workspacesInside(source: string, targets: readonly SyncTarget[]): string[] {
  return targets.filter((target) => target.transport.endpoint.transport === "local")
    .map((target) => relative(source, target.root))
    .filter((path) => path !== "" && path !== ".." && !path.startsWith("../"))
    .map((path) => `/${path.replaceAll(/[\\*?[\] ]/g, "\\$&")}/`);
}
