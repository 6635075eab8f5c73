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
import { randomWord } from "../core/ids.ts";
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
/** Below this it is measured as a whole. */
const NEGLIGIBLE_POINTS = 0.5;
/** Others hear of what changed, and are heard, after so long at the latest; a write costs the disk. */
const TELL_MS = 200;

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

/** What one process has placed on a node, as others are told. */
interface Share {
  readonly owner: string;
  readonly at: number;
  /** At that moment. */
  readonly points: number;
}

interface Own extends Placed {
  readonly at: number;
}

interface Told {
  /** On the monotonic clock. */
  since: number;
  isDue: boolean;
}

interface Others {
  /** On the monotonic clock. */
  readonly since: number;
  readonly shares: readonly Share[];
}

export class Placements {
  readonly #deps: PlacementDeps;
  readonly #own = new Map<string, Own>();
  /** This process among those that share the cache. */
  readonly owner = randomWord(8);
  readonly #told = new Map<Node, Told>();
  readonly #others = new Map<Node, Others>();

  constructor(deps: PlacementDeps) {
    this.#deps = deps;
  }

  add(placed: Placed): void {
    this.#own.set(placed.holder, { ...placed, at: this.#deps.clock.now() });
    this.#tell(placed.node);
  }

  /** Takes back what `holder` placed. */
  release(holder: string): void {
    const own = this.#own.get(holder);
    if (own === undefined) return;
    this.#own.delete(holder);
    this.#tell(own.node);
  }

  /** Takes back all that was placed by holders whose names begin with `run` and a space. */
  releaseAll(run: string): void {
    const over = [...this.#own.values()].filter(({ holder }) => holder.startsWith(`${run} `));
    for (const { holder } of over) this.#own.delete(holder);
    for (const node of this.#told.keys()) this.#tell(node, { atOnce: true });
  }

  /** Points per node that its measured score does not hold yet. */
  points(nodes: readonly Node[]): ReadonlyMap<Node, number> {
    const now = this.#deps.clock.now();
    const own = this.#ownPoints(now);
    this.#askOthers(nodes);
    return new Map(nodes.map((node) => {
      const others = this.#others.get(node)?.shares ?? [];
      const points = others.reduce((sum, share) => sum + faded(share, now), own.get(node) ?? 0);
      return [node, points < NEGLIGIBLE_POINTS ? 0 : points];
    }));
  }

  /** GPUs of the node that this process gave away and that nobody can see claimed there yet. */
  promisedGpus(node: Node, gpus: readonly GpuFacts[], but?: string): number {
    if (this.#own.size === 0) return 0;
    const claimed = new Set(gpus.flatMap(({ leases = [] }) => leases.map(({ group }) => group)));
    let promised = 0;
    for (const own of this.#own.values()) {
      if (own.node !== node || own.group === undefined || own.group === but) continue;
      if (!claimed.has(own.group)) promised += own.gpus;
    }
    return promised;
  }

  #ownPoints(now: number): Map<Node, number> {
    const { cpuWeight, gpuWeight } = this.#deps.weights;
    const sums = new Map<Node, number>();
    for (const { node, gpus, at } of this.#own.values()) {
      const weight = gpus > 0 ? Math.max(gpuWeight, cpuWeight) : cpuWeight;
      const points = faded({ at, points: SHARE_PERCENT * weight }, now);
      sums.set(node, (sums.get(node) ?? 0) + points);
    }
    return sums;
  }

  /** A burst is told at its beginning and as it goes on, not word by word. */
  #tell(node: Node, { atOnce = false } = {}): void {
    const { clock, cache } = this.#deps;
    const monotonic = clock.monotonic();
    const told = this.#told.get(node) ?? { since: Number.NEGATIVE_INFINITY, isDue: false };
    this.#told.set(node, told);
    told.isDue = true;
    if (!atOnce && monotonic - told.since < TELL_MS) return;
    told.isDue = false;
    told.since = monotonic;
    const now = clock.now();
    const points = this.#ownPoints(now).get(node) ?? 0;
    const key = placementKey(node);
    const others = readShares(cache.load([key]).get(key)?.json)
      .filter((share) => share.owner !== this.owner && faded(share, now) >= NEGLIGIBLE_POINTS);
    const own = points < NEGLIGIBLE_POINTS ? [] : [{ owner: this.owner, at: now, points }];
    cache.save(
      new Map([[key, { at: now, json: JSON.stringify({ placed: [...others, ...own] }) }]]),
    );
  }

  #askOthers(nodes: readonly Node[]): void {
    const { clock, cache } = this.#deps;
    const since = clock.monotonic();
    for (const [node, { isDue }] of this.#told) if (isDue) this.#tell(node);
    const stale = nodes.filter((node) => {
      const known = this.#others.get(node);
      return known === undefined || since - known.since >= TELL_MS;
    });
    if (stale.length === 0) return;
    const rows = cache.load(stale.map(placementKey));
    for (const node of stale) {
      const shares = readShares(rows.get(placementKey(node))?.json)
        .filter(({ owner }) => owner !== this.owner);
      this.#others.set(node, { since, shares });
    }
  }
}

/** What is left of points that were given at a moment. A clock that was set back revives nothing. */
function faded({ at, points }: Pick<Share, "at" | "points">, now: number): number {
  return at > now || now - at > LONGEST_MS ? 0 : points * 2 ** (-(now - at) / HALF_LIFE_MS);
}

function readShares(json: string | undefined): readonly Share[] {
  const placed = parseObject(json)?.["placed"];
  return Array.isArray(placed) ? placed.filter(isShare) : [];
}

function isShare(value: unknown): value is Share {
  return typeof value === "object" && value !== null &&
    "owner" in value && typeof value.owner === "string" &&
    "at" in value && typeof value.at === "number" &&
    "points" in value && typeof value.points === "number" && value.points >= 0;
}

function placementKey(node: Node): string {
  return `placed ${nodeKey(node)}`;
}
