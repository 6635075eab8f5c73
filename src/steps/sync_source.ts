/** The source of a `sync` step: where it lies, what of it travels, and what its content amounts to. */
import { basename, join, relative, resolve } from "node:path";
import type { SyncConfig } from "../cluster/config.ts";
import type { SyncAction } from "../pipeline/pipeline.ts";
import { digestSource } from "../sync/folders.ts";
import type { SyncOptions } from "../sync/sync.ts";

export interface SyncSourceOptions {
  readonly config: SyncConfig;
  /** Absolute project folder. */
  readonly project: string;
  /** Folder for the hash cache; default `<project>/.grid/cache`. */
  readonly cacheFolder?: string;
  /** Patterns, relative to the project, of what the steps behind the sync fetch. */
  readonly fetchTargets: readonly string[];
  readonly signal: AbortSignal;
}

export function syncOptionsOf(action: SyncAction<string>, options: SyncSourceOptions): SyncOptions {
  const { config, project, signal } = options;
  const source = resolve(project, action.from);
  return {
    source,
    as: action.as ?? (basename(source) || "root"),
    exclude: [...config.excludePatterns, ...action.exclude],
    ownExclude: action.exclude,
    excludeFrom: action.excludeFrom && resolve(project, action.excludeFrom),
    useChecksums: config.useChecksums,
    followSymlinks: config.followSymlinks,
    delete: action.delete,
    onDrift: action.onDrift,
    allowLargeDelete: action.force ?? false,
    maxParallelTransfers: config.maxParallelTransfers,
    cacheFolder: options.cacheFolder ?? join(project, ".grid", "cache"),
    fetchTargets: options.fetchTargets.map((pattern) => relative(source, resolve(project, pattern)))
      .filter((path) => path !== "" && path !== ".." && !path.startsWith("../")),
    signal,
  };
}

/**
 * What the sync would report now; undefined where the nodes have a say in it: with `delete: false`
 * they keep what earlier syncs brought.
 */
export async function forecastDigest(
  action: SyncAction<string>,
  options: SyncSourceOptions,
): Promise<string | undefined> {
  return action.delete ? await digestSource(syncOptionsOf(action, options)) : undefined;
}
