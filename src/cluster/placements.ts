/**
 * What was placed on nodes and is still under way. A job's load shows in the load average only after a
 * minute, and in a cached row after another; until then each placement counts as load of its own, or
 * ten runs in a minute would all choose the same node. It is counted beside the measured score, never
 * in it, and is gone when the work is.
 *
 * Whoever chooses in this process sees the others' placements at once; other processes of the project
 * see them through the cache.
 */
import type { Clock } from "../core/clock.ts";
import type { HealthCache } from "./cluster.ts";
import type { GpuFacts, Node } from "./node.ts";
import { nodeKey, parseObject } from "./row_cache.ts";
import type { Weights } from "./score.ts";

/** A fresh placement counts as this much of a whole node. */
const SHARE_PERCENT = 25;
/** As long as the load average needs to see a new job; half of a placement is measured by then. */
const HALF_LIFE_MS = 60_000;
/** What was not taken back by then is a dead runner's, and weighs nothing any more. */
const LONGEST_MS = 10 * HALF_LIFE_MS;
/** Below this a placement is measured as a whole. */
const NEGLIGIBLE_POINTS = 0.5;

export interface PlacementDeps {
  readonly cache: HealthCache;
  readonly clock: Clock;
  readonly weights: Weights;
}

/** Work that was given to a node. */
export interface Placed {
  readonly node: Node;
  /** Who placed it, unique among all runs; what takes it back. */
  readonly holder: string;
  readonly gpus: number;
  /** Under which its GPUs will be claimed on the node. */
  readonly group: string | undefined;
}

interface Entry {
  readonly holder: string;
  readonly at: number;
  readonly gpus: number;
}

interface Own extends Placed {
  readonly at: number;
}

export class Placements {
  readonly #deps: PlacementDeps;
  readonly #own = new Map<string, Own>();

  constructor(deps: PlacementDeps) {
    this.#deps = deps;
  }

  add(placed: Placed): void {
    const at = this.#deps.clock.now();
    this.#own.set(placed.holder, { ...placed, at });
    const { holder, gpus } = placed;
    this.#rewrite(placed.node, (entries) => [
      ...entries.filter((entry) => entry.holder !== holder),
      { holder, at, gpus },
    ]);
  }

  /** Takes back what `holder` placed, and what those whose names go on behind it and a space did. */
  release(holder: string): void {
    const mine = (name: string) => name === holder || name.startsWith(`${holder} `);
    const over = [...this.#own.values()].filter((own) => mine(own.holder));
    for (const own of over) this.#own.delete(own.holder);
    for (const node of new Set(over.map((own) => own.node))) {
      this.#rewrite(node, (entries) => entries.filter((entry) => !mine(entry.holder)));
    }
  }

  /** Points per node that its measured score does not hold yet. */
  points(nodes: readonly Node[]): ReadonlyMap<Node, number> {
    const now = this.#deps.clock.now();
    const rows = this.#deps.cache.load(nodes.map(placementKey));
    return new Map(nodes.map((node) => {
      const entries = readEntries(rows.get(placementKey(node))?.json);
      const points = entries.reduce((sum, entry) => sum + this.#pointsOf(entry, now), 0);
      return [node, points];
    }));
  }

  /** GPUs of the node that this process gave away and that nobody can see claimed there yet. */
  promisedGpus(node: Node, gpus: readonly GpuFacts[], but?: string): number {
    const claimed = new Set(gpus.flatMap(({ leases = [] }) => leases.map(({ group }) => group)));
    return [...this.#own.values()]
      .filter((own) => own.node === node && own.group !== undefined && own.group !== but)
      .filter((own) => own.group === undefined || !claimed.has(own.group))
      .reduce((sum, own) => sum + own.gpus, 0);
  }

  #pointsOf({ at, gpus }: Entry, now: number): number {
    const { cpuWeight, gpuWeight } = this.#deps.weights;
    // A clock that was set back must not revive what was placed.
    if (at > now || now - at > LONGEST_MS) return 0;
    const weight = gpus > 0 ? Math.max(gpuWeight, cpuWeight) : cpuWeight;
    const left = SHARE_PERCENT * weight * 2 ** (-(now - at) / HALF_LIFE_MS);
    return left < NEGLIGIBLE_POINTS ? 0 : left;
  }

  #rewrite(node: Node, change: (entries: readonly Entry[]) => readonly Entry[]): void {
    const { cache, clock } = this.#deps;
    const key = placementKey(node);
    const now = clock.now();
    const recent = readEntries(cache.load([key]).get(key)?.json)
      .filter((entry) => entry.at <= now && now - entry.at <= LONGEST_MS);
    cache.save(new Map([[key, { at: now, json: JSON.stringify({ placed: change(recent) }) }]]));
  }
}

function readEntries(json: string | undefined): readonly Entry[] {
  const placed = parseObject(json)?.["placed"];
  return Array.isArray(placed) ? placed.filter(isEntry) : [];
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null &&
    "holder" in value && typeof value.holder === "string" &&
    "at" in value && typeof value.at === "number" &&
    "gpus" in value && typeof value.gpus === "number";
}

function placementKey(node: Node): string {
  return `placed ${nodeKey(node)}`;
}
