/**
 * A data set to many nodes: from here to one, and from node to node as soon as one has it. Nodes cannot
 * log in to each other, and keys of ours never leave this machine: one opens a port for a moment, and
 * lets in who proves with a certificate made for this once who it is. Where they do not reach each other
 * it comes from here.
 */
import { systemClock } from "../core/clock.ts";
import { GridError, toGridError } from "../core/errors.ts";
import { ProgressMeter } from "../sync/progress.ts";
import type { SyncProgress, SyncTarget } from "../sync/sync.ts";
import { deliver } from "./deliver.ts";
import { type Door, NodeStore, type UseNote } from "./node_store.ts";
import { type OneTimeCertificate, oneTimeCertificate } from "./one_time_certificate.ts";
import type { DataSet } from "./source.ts";

export interface SpreadOptions {
  readonly set: DataSet;
  /** Whose workspaces are not one folder; in an order that all runs have. */
  readonly targets: readonly SyncTarget[];
  /** For the list of those who use it. */
  readonly use: Omit<UseNote, "facts">;
  /** False: nothing goes from node to node. */
  readonly direct: boolean;
  readonly owner: string;
  readonly maxParallelTransfers: number;
  readonly signal: AbortSignal;
  readonly progress: (progress: SyncProgress) => void;
  readonly tell: (message: string) => void;
}

export type Spread =
  | {
    readonly ok: true;
    readonly node: string;
    /** Folder of the set, absolute. */
    readonly folder: string;
    /** Bytes of content that this machine sent to it. */
    readonly sent: number;
    /** The node that it came from. */
    readonly from?: string;
    /** It was there already. */
    readonly wasThere: boolean;
  }
  | { readonly ok: false; readonly node: string; readonly error: GridError };

/** Of one node to others at once: its line is what all of them share. */
const MOST_PULLS = 2;
/** Nodes that try in vain before nobody does any more. */
const MOST_FAILED = 2;
/** After a link that broke, each time from where it ended. */
const TRIES = 4;
const PAUSE_MS = 1000;
/** Links may pass again; these are the ways they break. */
const MAY_PASS: ReadonlySet<string> = new Set(["tcp", "banner", "kex", "channel", "lost", "dns"]);

export async function spreadData(options: SpreadOptions): Promise<readonly Spread[]> {
  return await new Spreading(options).run();
}

interface Source {
  readonly target: SyncTarget;
  pulls: number;
  /** Made when the first asks. */
  door?: Promise<Door | undefined>;
}

class Spreading {
  readonly #options: SpreadOptions;
  readonly #results = new Map<string, Spread>();
  readonly #sources: Source[] = [];
  readonly #open = new AsyncDisposableStack();
  /** Nodes that somebody is at work for. */
  readonly #working = new Set<Promise<void>>();
  /** Transfers from here under way. */
  #fromHere = 0;
  readonly #ours: OneTimeCertificate = oneTimeCertificate();
  readonly #theirs: OneTimeCertificate = oneTimeCertificate();
  #isDirect: boolean;
  /** How nodes fared that were to get it from another. */
  readonly #pulls = { done: 0, failed: 0 };

  constructor(options: SpreadOptions) {
    this.#options = options;
    this.#isDirect = options.direct;
  }

  async run(): Promise<readonly Spread[]> {
    await using _open = this.#open;
    const { targets } = this.#options;
    const looked = await Promise.all(targets.map((target) => this.#look(target)));
    const waiting = targets.filter((_, index) => !looked[index]);
    while (waiting.length > 0 || this.#working.size > 0) {
      for (let begun = this.#next(); begun && waiting.length > 0; begun = this.#next()) {
        const target = waiting.shift()!;
        if (begun === "from here") this.#fromHere++;
        else begun.pulls++;
        const work: Promise<void> = this.#bring(target, begun).finally(() => {
          if (begun === "from here") this.#fromHere--;
          else begun.pulls--;
          this.#working.delete(work);
        });
        this.#working.add(work);
      }
      if (this.#working.size > 0) await Promise.race(this.#working);
    }
    this.#options.signal.throwIfAborted();
    return targets.map(({ node }) => this.#results.get(node)!);
  }

  /** Where the next node may get it from; undefined where it has to wait. */
  #next(): Source | "from here" | undefined {
    if (this.#isDirect && this.#sources.length > 0) {
      const [least] = this.#sources.toSorted((a, b) => a.pulls - b.pulls);
      return least !== undefined && least.pulls < MOST_PULLS ? least : undefined;
    }
    // The first to have it gives it to the others.
    const most = this.#isDirect ? 1 : this.#options.maxParallelTransfers;
    return this.#fromHere < most ? "from here" : undefined;
  }

  /** True where it has it, or cannot be asked. */
  async #look(target: SyncTarget): Promise<boolean> {
    try {
      await using store = await this.#store(target);
      if (store.state !== "whole") return false;
      await this.#done(store, target, { sent: 0, wasThere: true });
    } catch (error) {
      this.#failed(target, error);
    }
    return true;
  }

  async #bring(target: SyncTarget, from: Source | "from here"): Promise<void> {
    const sent = { bytes: 0 };
    for (let attempt = 1;; attempt++) {
      try {
        if (from !== "from here" && await this.#pulled(target, from)) return;
        return await this.#fromThisMachine(target, sent);
      } catch (error) {
        const { signal } = this.#options;
        const problem = toGridError(error);
        if (signal.aborted || attempt === TRIES || !MAY_PASS.has(problem.code)) {
          return this.#failed(target, error);
        }
        await systemClock.sleep(PAUSE_MS * attempt, { signal }).catch(() => {});
      }
    }
  }

  /** False where it has to come from here. */
  async #pulled(target: SyncTarget, source: Source): Promise<boolean> {
    source.door ??= this.#doorOf(source);
    const door = await source.door;
    if (door === undefined) {
      // It lacks what is needed for that; others may have it.
      this.#sources.splice(0, Infinity, ...this.#sources.filter((it) => it !== source));
      return false;
    }
    await using store = await this.#store(target);
    if (await store.lock() === "whole") {
      await this.#done(store, target, { sent: 0, wasThere: true });
      return true;
    }
    await store.begin();
    const meter = this.#meter(target);
    let before = 0;
    const why = await store.pull({
      ...this.#theirs,
      peers: [this.#ours.certificate],
      ...door,
    }, (bytes) => {
      meter.took({ bytes: bytes - before, files: 0 });
      before = bytes;
    });
    const { node } = source.target;
    if (why !== undefined) {
      return this.#comesFromHere(`${target.node} gets none from ${node}: ${why}`);
    }
    if (await store.finish() === "wrong") {
      return this.#comesFromHere(`what ${node} gave to ${target.node} has other sums`);
    }
    this.#pulls.done++;
    await this.#done(store, target, { sent: 0, wasThere: false, from: source.target.node });
    return true;
  }

  /** Where nothing goes from node to node the others need not try. */
  #comesFromHere(why: string): false {
    this.#options.tell(`${why}; it comes from here`);
    this.#pulls.failed++;
    if (this.#pulls.done === 0 && this.#pulls.failed >= MOST_FAILED) this.#isDirect = false;
    return false;
  }

  async #doorOf({ target }: Source): Promise<Door | undefined> {
    const store = this.#open.use(await this.#store(target));
    const told = await store.serve({ ...this.#ours, peers: [this.#theirs.certificate] });
    const { host } = target.transport.endpoint;
    return told && { port: told.port, hosts: [...host ? [host] : [], ...told.hosts] };
  }

  async #fromThisMachine(target: SyncTarget, sent: { bytes: number }): Promise<void> {
    const { set, signal } = this.#options;
    await using store = await this.#store(target);
    if (await store.lock() === "whole") {
      return await this.#done(store, target, { sent: sent.bytes, wasThere: sent.bytes === 0 });
    }
    const meter = this.#meter(target);
    for (let attempt = 1;; attempt++) {
      const there = await store.begin();
      const took = (more: { readonly bytes: number; readonly files: number }) => {
        sent.bytes += more.bytes;
        meter.took(more);
      };
      await deliver(store, { set, there, signal, took });
      if (await store.finish() === "whole") break;
      // What was kept of an earlier try may have been damaged; it is gone now, and comes once more.
      if (attempt === 2) throw stillWrong(target);
    }
    await this.#done(store, target, { sent: sent.bytes, wasThere: false });
  }

  #store(target: SyncTarget): Promise<NodeStore> {
    const { set, owner, signal } = this.#options;
    return NodeStore.open({ target, set, owner, signal });
  }

  #meter({ node }: SyncTarget): ProgressMeter {
    const { set, progress } = this.#options;
    return new ProgressMeter({ node, entries: set.entries, tell: progress });
  }

  async #done(
    store: NodeStore,
    target: SyncTarget,
    how: { readonly sent: number; readonly wasThere: boolean; readonly from?: string },
  ): Promise<void> {
    const { set, use } = this.#options;
    const facts = `${set.files} ${set.bytes}`;
    const folder = await store.use({ ...use, facts });
    const path = set.only === undefined ? "tree" : `tree/${set.only}`;
    this.#results.set(target.node, {
      ok: true,
      node: target.node,
      folder: `${folder}/${path}`,
      ...how,
    });
    this.#sources.push({ target, pulls: 0 });
  }

  #failed({ node }: SyncTarget, error: unknown): void {
    this.#results.set(node, { ok: false, node, error: toGridError(error) });
  }
}

function stillWrong({ node }: SyncTarget): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot bring the data set to "${node}": what arrived has other sums`,
    hint: "A file changed while it was sent, or the disk there gives back other bytes; try again",
    node,
  });
}
