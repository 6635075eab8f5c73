/** How far a node is, told now and then. */
import { monotonic } from "../core/clock.ts";
import type { Entry } from "./entry.ts";
import { BLOCK } from "./tar.ts";
import type { SyncProgress } from "./sync.ts";

const EVERY_MS = 10_000;

export class ProgressMeter {
  readonly #node: string;
  readonly #tell: ((progress: SyncProgress) => void) | undefined;
  readonly #totalFiles: number;
  readonly #totalBytes: number;
  readonly #now: () => number;
  #files = 0;
  #bytes = 0;
  #told: { at: number; bytes: number };

  constructor({ node, entries, tell, now = monotonic }: {
    readonly node: string;
    /** What is to travel. */
    readonly entries: readonly Pick<Entry, "type" | "size">[];
    readonly tell: ((progress: SyncProgress) => void) | undefined;
    readonly now?: () => number;
  }) {
    this.#node = node;
    this.#tell = tell;
    this.#now = now;
    this.#totalFiles = entries.filter((entry) => entry.type === "file").length;
    // With the headers, of which there is one for each.
    this.#totalBytes = entries.reduce(
      (sum, { size }) => sum + BLOCK + Math.ceil(size / BLOCK) * BLOCK,
      0,
    );
    this.#told = { at: now(), bytes: 0 };
  }

  /** So much more of the archive has travelled, and so many files are through with it. */
  took({ bytes, files }: { readonly bytes: number; readonly files: number }): void {
    this.#bytes += bytes;
    this.#files += files;
    const at = this.#now();
    const since = at - this.#told.at;
    if (this.#tell === undefined || since < EVERY_MS) return;
    this.#tell({
      node: this.#node,
      files: Math.min(this.#files, this.#totalFiles),
      totalFiles: this.#totalFiles,
      bytes: Math.min(this.#bytes, this.#totalBytes),
      totalBytes: this.#totalBytes,
      rate: (this.#bytes - this.#told.bytes) / since * 1000,
    });
    this.#told = { at, bytes: this.#bytes };
  }
}
