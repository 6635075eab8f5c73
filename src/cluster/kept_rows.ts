/** Rows on their way to the cache: those of one look at many nodes go there together, in few writes. */
import type { Clock } from "../core/clock.ts";
import type { HealthCache } from "./cluster.ts";
import type { Node } from "./node.ts";
import { NO_MEMORY, type NodeMemory, remember } from "./node_memory.ts";
import type { ProbeRow } from "./probe_node.ts";
import { forgetRow, type KeptLook, loadMemories, loadRows, saveLooks } from "./row_cache.ts";

/** No longer than this a row is known here alone. */
const TOGETHER_MS = 100;

export class KeptRows implements Disposable {
  readonly #cache: HealthCache;
  readonly #clock: Pick<Clock, "monotonic">;
  /** Not written yet. */
  readonly #pending = new Map<Node, KeptLook>();
  readonly #memories = new Map<Node, NodeMemory>();
  #looks = 0;
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(cache: HealthCache, clock: Pick<Clock, "monotonic">) {
    this.#cache = cache;
    this.#clock = clock;
  }

  /** What was kept lately, by anybody. */
  load(nodes: readonly Node[], now: number): ReadonlyMap<Node, ProbeRow> {
    this.#write();
    const rows = loadRows(this.#cache, { nodes, now });
    for (const [node, { memory }] of rows) if (memory) this.#memories.set(node, memory);
    this.#recall(nodes.filter((node) => !this.#memories.has(node)));
    return rows;
  }

  /** Of those without a row: all at once, and not each when it has answered. */
  #recall(nodes: readonly Node[]): void {
    if (nodes.length === 0) return;
    const memories = loadMemories(this.#cache, nodes);
    for (const node of nodes) this.#memories.set(node, memories.get(node) ?? NO_MEMORY);
  }

  /** Until it is disposed of, rows are written by the dozen. */
  together(): Disposable {
    this.#looks++;
    return {
      [Symbol.dispose]: () => {
        if (--this.#looks === 0) this.#write();
      },
    };
  }

  /** Gives the row back with what is remembered of earlier ones. */
  keep(node: Node, look: KeptLook): ProbeRow {
    if (this.#pending.has(node)) this.#write();
    const known = this.#memories.get(node) ??
      loadMemories(this.#cache, [node]).get(node);
    const memory = remember(known, { ...look.row, score: look.score });
    this.#memories.set(node, memory);
    this.#pending.set(node, look);
    const isSoon = this.#clock.monotonic() - this.#writtenAt < TOGETHER_MS;
    if (this.#looks === 0 || !isSoon) this.#write();
    return { ...look.row, memory };
  }

  /** The next look asks the node; what is remembered of it stays. */
  forget(node: Node): void {
    this.#write();
    forgetRow(this.#cache, node);
  }

  #write(): void {
    this.#writtenAt = this.#clock.monotonic();
    if (this.#pending.size === 0) return;
    const looks = new Map(this.#pending);
    this.#pending.clear();
    saveLooks(this.#cache, looks);
  }

  [Symbol.dispose](): void {
    this.#write();
  }
}
