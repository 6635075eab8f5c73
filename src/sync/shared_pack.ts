/**
 * What has to travel, packed once and handed to every node that lacks just that. It is packed as fast as
 * the fastest node takes it.
 */
import { promisify } from "node:util";
import { gzip, zstdCompress } from "node:zlib";
import type { SourceEntry } from "./hash.ts";
import { type Packed, packEntries, type PackOptions } from "./pack.ts";
import { isWorthAThread, PackThread, type PutRest } from "./pack_thread.ts";
import { StreamSum } from "./stream_sum.ts";
import { TarWriter } from "./tar_writer.ts";

/** Where the files are in an archive. */
export const TREE = "tree/";

/** A piece of an archive. */
export class Block {
  readonly bytes: Uint8Array;
  /** Files that end in it. */
  readonly files: number;
  /** To be called by whoever sent it as the last one. */
  readonly release: () => void;
  readonly #packed = new Map<Compression, Promise<Uint8Array>>();

  constructor(bytes: Uint8Array, { files = 0, release = () => {} }: Partial<PutRest> = {}) {
    this.bytes = bytes;
    this.files = files;
    this.release = release;
  }

  /** Done once, however many nodes want it so. */
  compressed(way: Compression): Promise<Uint8Array> {
    const known = this.#packed.get(way);
    if (known !== undefined) return known;
    const packing = COMPRESS[way](this.bytes);
    this.#packed.set(way, packing);
    return packing;
  }
}

/** What nodes can take apart; the better first. */
export const COMPRESSIONS = ["zstd", "gzip"] as const;
export type Compression = typeof COMPRESSIONS[number];

const COMPRESS: Readonly<Record<Compression, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  zstd: (bytes) => promisify<Uint8Array, Uint8Array>(zstdCompress)(bytes),
  gzip: (bytes) => promisify<Uint8Array, Uint8Array>(gzip)(bytes),
};

export type SharedPackOptions = Omit<PackOptions, "archive" | "prefix"> & {
  /** Whether more than one node may want it; then nothing is dropped before the end. */
  readonly isKept: boolean;
  /** Of its own; given up with it. */
  readonly thread?: PackThread | undefined;
};

/** Packed ahead of the fastest node. */
const AHEAD = 2;
/** While no node is ready to take any: as much as is packed until one has logged in once more. */
const AHEAD_OF_ALL = 24;

export class SharedPack {
  readonly entries: readonly SourceEntry[];
  readonly #options: SharedPackOptions;
  readonly #isKept: boolean;
  #isStarted = false;
  readonly #blocks: (Block | undefined)[] = [];
  readonly #sum = new StreamSum();
  readonly #stop = new AbortController();
  #wanted = AHEAD;
  #readers = 0;
  #packed: Packed | undefined;
  #failure: unknown;
  #turn = Promise.withResolvers<void>();

  constructor(entries: readonly SourceEntry[], options: SharedPackOptions) {
    this.entries = entries;
    this.#isKept = options.isKept;
    this.#options = options;
  }

  /** Whether one more node can read it from the start. */
  get isWhole(): boolean {
    return (this.#isKept || this.#readers === 0) && this.#failure === undefined;
  }

  /** Packs before anybody reads, until so much lies there. */
  begin(): void {
    this.#wanted = AHEAD_OF_ALL;
    this.#start();
  }

  /** Where nobody has read it, and nobody will. */
  giveUp(): void {
    this.#stop.abort(new Error("unread"));
    this.#wake();
  }

  /** The blocks in order. Once they are read, `packed` and `sum` say what was in them. */
  async *read(): AsyncGenerator<Block> {
    this.#readers++;
    this.#start();
    try {
      for (let at = 0;; at++) {
        if (at + AHEAD > this.#wanted) {
          this.#wanted = at + AHEAD;
          this.#wake();
        }
        while (at >= this.#blocks.length && this.#packed === undefined) {
          if (this.#failure !== undefined) throw this.#failure;
          await this.#turn.promise;
        }
        const block = this.#blocks[at];
        if (block === undefined) return;
        if (!this.#isKept) this.#blocks[at] = undefined;
        yield block;
      }
    } finally {
      // Nobody is left to take it.
      if (--this.#readers === 0 && this.#packed === undefined) {
        this.#stop.abort(new Error("unread"));
      }
      this.#wake();
    }
  }

  get packed(): Packed {
    if (this.#packed === undefined) throw new Error("not packed to the end yet");
    return this.#packed;
  }

  /** Over all blocks; may be gone on with. */
  sum(): StreamSum {
    return this.#sum.copy();
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#pack().catch((error) => {
      this.#failure = error;
    }).finally(() => this.#wake());
  }

  async #pack(): Promise<void> {
    using thread = this.#options.thread;
    this.#stop.signal.addEventListener("abort", () => thread?.[Symbol.dispose](), { once: true });
    this.#packed = await thread?.pack(this.entries, {
      source: this.#options.source,
      useChecksums: this.#options.useChecksums,
      followSymlinks: this.#options.followSymlinks,
      prefix: TREE,
      put: (bytes, { files, release }) =>
        this.#put(new Block(bytes, { files, ...(!this.#isKept && { release }) })),
    }) ?? await this.#packHere();
  }

  async #packHere(): Promise<Packed> {
    let files = 0;
    const archive = new TarWriter((bytes) => {
      const count = files;
      files = 0;
      return this.#put(new Block(bytes, { files: count }));
    });
    const packed = await packEntries(this.entries, {
      ...this.#options,
      archive,
      prefix: TREE,
      packedFile: () => files++,
    });
    await archive.flush();
    return packed;
  }

  async #put(block: Block): Promise<void> {
    this.#sum.update(block.bytes);
    this.#blocks.push(block);
    this.#wake();
    while (this.#blocks.length >= this.#wanted) {
      this.#stop.signal.throwIfAborted();
      await this.#turn.promise;
    }
  }

  #wake(): void {
    this.#turn.resolve();
    this.#turn = Promise.withResolvers();
  }
}

/** Beyond this nothing is kept in memory: each node's archive is packed for itself. */
const MOST_KEPT_BYTES = 80 * 2 ** 20;

/** The archives of one sync, found again by what is in them. */
export class PackShelf implements Disposable {
  readonly #packs: SharedPack[] = [];
  #begun: SharedPack | undefined;
  #isOver = false;
  readonly #options: Omit<SharedPackOptions, "isKept" | "thread">;
  readonly #nodes: number;
  /** For the first large one. */
  #thread: PackThread | undefined;

  constructor(options: Omit<SharedPackOptions, "isKept" | "thread">, nodes: number) {
    this.#options = options;
    this.#nodes = nodes;
  }

  /** These are likely to be packed soon. */
  expect(entries: readonly SourceEntry[]): void {
    const load = { bytes: bytesOf(entries), entries: entries.length };
    if (this.#nodes > 0 && isWorthAThread(load)) this.#thread ??= new PackThread();
  }

  /** These will be asked for, unless a node has more than it said. */
  begin(entries: readonly SourceEntry[]): void {
    if (this.#isOver || this.#begun !== undefined) return;
    this.expect(entries);
    // Here it would keep everybody else from getting ready.
    if (this.#thread === undefined) return;
    const pack = this.packOf(entries);
    pack.begin();
    this.#begun = pack;
  }

  packOf(entries: readonly SourceEntry[]): SharedPack {
    const begun = this.#begun;
    if (begun !== undefined && isSameList(begun.entries, entries)) {
      this.#begun = undefined;
      if (begun.isWhole) return begun;
    }
    const known = this.#packs.find((pack) => pack.isWhole && isSameList(pack.entries, entries));
    if (known !== undefined) return known;
    const bytes = bytesOf(entries);
    const isKept = this.#nodes > 1 && bytes <= MOST_KEPT_BYTES;
    this.expect(entries);
    const isWorthIt = isWorthAThread({ bytes, entries: entries.length });
    const thread = isWorthIt ? this.#thread : undefined;
    // One for each archive.
    if (thread !== undefined) this.#thread = undefined;
    const pack = new SharedPack(entries, { ...this.#options, isKept, thread });
    if (isKept) this.#packs.push(pack);
    return pack;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#begun?.giveUp();
    this.#thread?.[Symbol.dispose]();
  }
}

/** Of an archive of them, about. */
function bytesOf(entries: readonly SourceEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.size + 1024, 0);
}

/** By identity: all nodes are compared with one and the same look at the source. */
function isSameList(a: readonly SourceEntry[], b: readonly SourceEntry[]): boolean {
  return a.length === b.length && a.every((entry, at) => entry === b[at]);
}
