/** The source, looked at once for all nodes; files are read only when somebody needs their hash. */
import type { Buffer } from "node:buffer";
import { join } from "node:path";
import { contentByTime, type Hashed, hashMissing, isUnhashed, type SourceEntry } from "./hash.ts";
import { HashCache } from "./hash_cache.ts";
import { comparePaths, type Entry } from "./entry.ts";
import {
  type Found,
  isWorthKnowing,
  KnownSource,
  type KnownSourceOptions,
  rememberSource,
} from "./known_source.ts";
import { type Manifest, ManifestText, writeManifest } from "./manifest.ts";
import { PackShelf } from "./shared_pack.ts";
import type { Skipped } from "./read_problem.ts";
import { readSourceRows } from "./source_rows.ts";
import type { SyncOptions } from "./sync.ts";
import type { SyncWalk } from "./walk_for_sync.ts";

export interface HashedSource extends Hashed {
  /** Of `entries`. */
  readonly manifest: ManifestText;
  /** Of the manifest. */
  readonly digest: string;
}

/** What a node was brought. */
export interface Brought {
  readonly sent: readonly SourceEntry[];
  /** What it has now, and the digest of that. */
  readonly record: readonly Entry[];
  readonly digest: string;
}

/** What it takes to know the source again. */
interface Memory extends Pick<Found, "ignored" | "guards"> {
  readonly options: KnownSourceOptions;
  readonly rows: Promise<Buffer | undefined>;
}

export class Source implements Disposable {
  readonly folder: string;
  readonly packs: PackShelf;
  /** Files and links. */
  readonly leaves: number;
  readonly #options: SyncOptions;
  /** Undefined where files are known by their times, or all are known already. */
  readonly #cache: HashCache | undefined;
  readonly #known: KnownSource | undefined;
  /** What was found, with the hashes that the cache knew; undefined where it was known. */
  readonly #found: readonly SourceEntry[] | undefined;
  readonly #skipped: readonly Skipped[];
  readonly #memory: Memory | undefined;
  /** Of the manifest of all that was found. */
  #digest: string | undefined;
  /** Files turned out to be other than they were found. */
  #isMoved = false;
  #hashed: Promise<HashedSource> | undefined;
  #unreadable: readonly Skipped[] = [];
  #brought: Brought | undefined;
  #saving: Promise<void> | undefined;

  /** @param nodes how many may be brought up to date from it */
  constructor(look: KnownSource | SyncWalk, options: SyncOptions, nodes = 0) {
    this.folder = options.source;
    this.packs = new PackShelf(options, nodes);
    this.#options = options;
    if (look instanceof KnownSource) {
      this.#known = look;
      this.#digest = look.digest;
      this.#skipped = [];
      this.leaves = look.leaves;
      return;
    }
    this.#found = look.found;
    if (options.useChecksums) {
      this.#cache = new HashCache(look.found, {
        folder: options.cacheFolder,
        // A single file has a cache of its own, or it would take the place of the folder's.
        source: join(options.source, options.only ?? ""),
      });
    } else knowByTime(look.found);
    // Its list of what was found is not needed any more, and long.
    this.#skipped = look.skipped;
    this.leaves = look.found.filter((entry) => entry.type !== "folder").length;
    this.packs.expect(this.#found.filter(isUnhashed));
    this.#memory = memoryOf(look);
  }

  /** With the hashes that are known. Enough for a node that has nothing: see `packEntries`. */
  get recalled(): readonly SourceEntry[] {
    return this.#found ?? this.#known?.entries ?? [];
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
    const known = this.#known;
    if (known?.digest !== undefined) {
      return new KnownHashes(() => known.entries, known.digest);
    }
    const isComplete = !this.recalled.some(isUnhashed);
    const hashed = isComplete
      ? { entries: this.recalled, skipped: [] }
      : await hashMissing(this.recalled, this.#options);
    this.#unreadable = hashed.skipped;
    const manifest = writeManifest(hashed.entries);
    if (hashed.skipped.length === 0) this.#digest = manifest.digest;
    return { ...hashed, manifest, digest: manifest.digest };
  }

  /** Whether some of it is other than at the last look, as far as that can be told without reading. */
  get isChanged(): boolean {
    return this.#known !== undefined && this.#known.digest === undefined;
  }

  /** What there was at the last look, where that had this digest. */
  manifestOf(digest: string | undefined): Manifest | undefined {
    return digest === undefined ? undefined : this.#known?.manifestOf(digest);
  }

  /** Hears what a node was brought, of which the contents may be known only since. */
  learn(brought: Brought): void {
    const { sent, record, digest } = brought;
    // Mostly all nodes are brought the same.
    if (isSameBrought(brought, this.#brought)) return;
    this.#brought = brought;
    this.#saving = undefined;
    const found = this.recalled;
    let at = 0;
    for (const entry of sent) {
      // Both are sorted by path.
      while (at < found.length && comparePaths(found[at]!.path, entry.path) < 0) at++;
      if (found[at] === entry) continue;
      this.#isMoved = true;
      if (found[at]?.path === entry.path) this.#cache?.doubt(at);
    }
    const isAll = record.length === found.length &&
      record.every((entry, at) => entry === found[at]);
    if (isAll) this.#digest ??= digest;
  }

  /** For the next look at it; once for all that was learnt so far. */
  save(): Promise<void> {
    this.#saving ??= this.#save();
    return this.#saving;
  }

  async #save(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#cache?.save();
    const isPlain = !this.#isMoved && this.skipped.length === 0;
    const memory = this.#memory;
    const rows = await memory?.rows;
    if (this.#digest === undefined || !isPlain) return;
    if (this.#known !== undefined) this.#known.save(this.#digest);
    else if (memory !== undefined && rows !== undefined) {
      const entries = this.recalled;
      rememberSource({ ...memory, entries, rows, digest: this.#digest }, memory.options);
    }
  }
}

function knowByTime(entries: readonly SourceEntry[]): void {
  for (const entry of entries) {
    if (entry.type === "file") entry.content = contentByTime(entry.state);
  }
}

function isSameBrought(one: Brought, other: Brought | undefined): boolean {
  return one.digest === other?.digest && one.record.length === other.record.length &&
    one.sent.length === other.sent.length &&
    one.sent.every((entry, at) => entry === other.sent[at]);
}

function memoryOf({ found, skipped, ignored, known }: SyncWalk): Memory | undefined {
  if (known === undefined || skipped.length > 0 || !isWorthKnowing(found, known)) return undefined;
  const folders = found.filter((entry) => entry.type === "folder").map((entry) => entry.path);
  const rows = readSourceRows(known.source, { folders, signal: known.signal });
  // Whoever saves hears of it.
  rows.catch(() => {});
  return {
    options: known,
    guards: known.guards,
    ignored: new Set(ignored.map((it) => it.path)),
    rows,
  };
}

/** The list is made when somebody wants it. */
class KnownHashes implements HashedSource {
  readonly skipped = [];
  readonly manifest: ManifestText;
  readonly digest: string;
  readonly #entries: () => readonly SourceEntry[];

  constructor(entries: () => readonly SourceEntry[], digest: string) {
    this.#entries = entries;
    this.digest = digest;
    this.manifest = new ManifestText(entries, digest);
  }

  get entries(): readonly SourceEntry[] {
    return this.#entries();
  }
}
