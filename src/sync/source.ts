/** The source, walked once for all nodes; files are read only when somebody needs their hash. */
import { type Hashed, hashMissing, isUnhashed, recallHashes, type SourceEntry } from "./hash.ts";
import { type HashCache, openHashCache } from "./hash_cache.ts";
import { type ManifestText, writeManifest } from "./manifest.ts";
import { PackShelf } from "./shared_pack.ts";
import type { Skipped } from "./read_problem.ts";
import type { SyncOptions } from "./sync.ts";
import type { Walk } from "./walk.ts";

export interface HashedSource extends Hashed {
  /** Of `entries`. */
  readonly manifest: ManifestText;
}

export class Source implements Disposable {
  readonly folder: string;
  readonly cache: HashCache;
  readonly packs: PackShelf;
  /** With the hashes that the cache knew. Enough for a node that has nothing: see `packEntries`. */
  readonly recalled: readonly SourceEntry[];
  readonly #options: SyncOptions;
  readonly #skipped: readonly Skipped[];
  #hashed: Promise<HashedSource> | undefined;
  #unreadable: readonly Skipped[] = [];

  /** @param nodes how many may be brought up to date from it */
  constructor(walk: Walk, options: SyncOptions, nodes = 0) {
    this.folder = options.source;
    this.packs = new PackShelf(options, nodes);
    this.cache = openHashCache({ folder: options.cacheFolder, source: options.source });
    this.recalled = recallHashes(walk.found, { ...options, cache: this.cache });
    this.#options = options;
    this.packs.expect(this.recalled.filter(isUnhashed));
    // Its list of what was found is not needed any more, and long.
    this.#skipped = walk.skipped;
  }

  /** Things that no node gets, with the reason. */
  get skipped(): readonly Skipped[] {
    return [...this.#skipped, ...this.#unreadable];
  }

  [Symbol.dispose](): void {
    this.packs[Symbol.dispose]();
  }

  /** With every hash; each file is read once, however many nodes ask. */
  hashed(): Promise<HashedSource> {
    this.#hashed ??= this.#hash();
    return this.#hashed;
  }

  async #hash(): Promise<HashedSource> {
    const isComplete = !this.recalled.some(isUnhashed);
    const hashed = isComplete
      ? { entries: this.recalled, skipped: [] }
      : await hashMissing(this.recalled, { ...this.#options, cache: this.cache });
    this.#unreadable = hashed.skipped;
    return { ...hashed, manifest: writeManifest(hashed.entries) };
  }
}
