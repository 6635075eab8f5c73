/**
 * Reads, hashes and packs in a thread of its own, so that this one has its hands free for the links to
 * the nodes. Its start costs a moment, so it is begun before anybody knows that it is needed.
 */
import type { SourceEntry } from "./hash.ts";
import type { Packed } from "./pack.ts";
import { type PackAnswer, type PackOrder, splitContents, toColumns } from "./pack_words.ts";

/** Below this the start of a thread costs more than it gains. */
const WORTH_BYTES = 8 * 2 ** 20;
/** What has passed between threads is swept up late, so that of more bytes too many would lie about. */
const MOST_BYTES = 2 ** 28;
/** The thread has a list of its own, of a kilobyte for each. */
const MOST_ENTRIES = 30_000;

/** Whether these are enough, and not too many, for a thread. */
export function isWorthAThread(load: { readonly bytes: number; readonly entries: number }) {
  return load.bytes >= WORTH_BYTES && load.bytes <= MOST_BYTES && load.entries <= MOST_ENTRIES;
}

export interface PutRest {
  /** That end in it. */
  readonly files: number;
  /** Nobody looks at the block any more. */
  readonly release: () => void;
}

export interface PackThreadOptions {
  readonly source: string;
  readonly prefix: string;
  readonly useChecksums: boolean;
  readonly followSymlinks: boolean;
  /** Takes a block, and may keep it until it releases it; the next one comes when it is done. */
  readonly put: (block: Uint8Array, rest: PutRest) => Promise<void>;
}

export class PackThread implements Disposable {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<boolean>();
  #ended: PromiseWithResolvers<never> | undefined;

  constructor() {
    this.#worker = new Worker(new URL("./pack_worker.ts", import.meta.url), {
      type: "module",
      name: "pack",
    });
    this.#worker.onmessage = () => this.#ready.resolve(true);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#ready.resolve(false);
      this.#ended?.reject(new Error(`packing: ${event.message}`));
    };
  }

  /** Once; undefined where no thread could be had, and nothing was done. Entries learn their contents. */
  async pack(
    entries: readonly SourceEntry[],
    { put, ...options }: PackThreadOptions,
  ): Promise<Packed | undefined> {
    const answers: PackAnswer[] = [];
    const ended = this.#ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    if (!await this.#ready.promise) return undefined;
    let heard = Promise.withResolvers<void>();
    this.#worker.onmessage = ({ data }: MessageEvent<PackAnswer>) => {
      answers.push(data);
      heard.resolve();
    };
    this.#say({ start: toColumns(entries), ...options });
    for (;;) {
      const answer = answers.shift();
      if (answer === undefined) {
        await Promise.race([heard.promise, ended.promise]);
        heard = Promise.withResolvers();
      } else if ("block" in answer) {
        const { block, files } = answer;
        await put(block, { files, release: () => this.#giveBack(block) });
        this.#say({ taken: true });
      } else if ("done" in answer) return takeOver(entries, answer.done);
      else if ("failed" in answer) throw new Error(`packing: ${answer.failed}`);
    }
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
    this.#ready.resolve(false);
    this.#ended?.reject(new Error("packing was given up"));
  }

  #giveBack({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer) this.#say({ spare: buffer }, [buffer]);
  }

  #say(order: PackOrder, moved: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(order, [...moved]);
  }
}

/** As if it had been read here: see `packEntries`. */
function takeOver(
  entries: readonly SourceEntry[],
  done: Extract<PackAnswer, { done: unknown }>["done"],
): Packed {
  const changed = new Map(done.changed);
  const torn = new Map(done.torn);
  const contents = splitContents(done.contents);
  const sent = entries.flatMap((entry, at) => {
    if (torn.has(at)) return [];
    const other = changed.get(at);
    if (other !== undefined) return [other];
    if (entry.type === "file") entry.content = contents[at] ?? "";
    return [entry];
  });
  return { sent, torn: [...torn.values()], bytes: done.bytes };
}
