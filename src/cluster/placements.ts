/**
 * What this process has placed on nodes and is still under way. A job's load shows in the load average only
 * after a minute, and in a cached row after another; until then each placement counts as load of its own,
 * or ten runs in a minute would all choose the same node. It is counted beside the measured score, never
 * in it, and is gone when the work is. Whoever chooses in this process sees the others' placements at
 * once; other processes read them on the node, see `others.ts`.
 */
import type { Clock } from "../core/clock.ts";
import { randomWord } from "../core/ids.ts";
import type { Node } from "./node.ts";
import { faded, NEGLIGIBLE_POINTS, weightOf } from "./others.ts";
import type { Weights } from "./score.ts";

export interface PlacementDeps {
  readonly clock: Clock;
  readonly weights: Weights;
}

/** Work that was given to a node. */
export interface Placed {
  readonly node: Node;
  /** Who placed it, unique among all runs; what takes it back. */
  readonly holder: string;
  readonly gpus: number;
  /** Under which its GPUs are claimed on the node. */
  readonly group: string | undefined;
  /** Others may have its GPUs as well, if they share, too. */
  readonly share?: boolean | undefined;
  /** Those GPUs. */
  readonly keys?: readonly string[] | undefined;
}

interface Own extends Placed {
  /** On the monotonic clock. */
  readonly at: number;
}

export class Placements {
  readonly #deps: PlacementDeps;
  readonly #own = new Map<string, Own>();
  /** This process among all that use a node. */
  readonly owner = randomWord(8);

  constructor(deps: PlacementDeps) {
    this.#deps = deps;
  }

  add(placed: Placed): void {
    const at = this.#own.get(placed.holder)?.at ?? this.#deps.clock.monotonic();
    this.#own.set(placed.holder, { ...placed, at });
  }

  /** Takes back what `holder` placed, and tells what that was. */
  release(holder: string): Placed | undefined {
    const own = this.#own.get(holder);
    this.#own.delete(holder);
    return own;
  }

  /** Holders whose names begin with `run` and a space. */
  holdersOf(run: string): readonly string[] {
    return [...this.#own.keys()].filter((holder) => holder.startsWith(`${run} `));
  }

  /** How much of this process is on a node. */
  countOn(node: Node): number {
    return [...this.#own.values()].filter((own) => own.node === node).length;
  }

  /** Whether work that claims under this group is under way. */
  hasGroup(group: string): boolean {
    return [...this.#own.values()].some((own) => own.group === group);
  }

  /** Points per node that its measured score does not hold yet. */
  points(nodes: readonly Node[]): ReadonlyMap<Node, number> {
    const now = this.#deps.clock.monotonic();
    const sums = new Map(nodes.map((node) => [node, 0]));
    for (const { node, gpus, at } of this.#own.values()) {
      const sum = sums.get(node);
      if (sum === undefined) continue;
      sums.set(node, sum + faded(weightOf(gpus, this.#deps.weights), now - at));
    }
    for (const [node, sum] of sums) if (sum < NEGLIGIBLE_POINTS) sums.set(node, 0);
    return sums;
  }

  /** GPUs of the node that this process gave to others than the group, and which are not shared. */
  promisedGpus(
    node: Node,
    { group, share = false }: Pick<Placed, "group" | "share">,
  ): ReadonlySet<string> {
    const own = [...this.#own.values()].filter((own) =>
      own.node === node && own.group !== group && !(share && own.share)
    );
    return new Set(own.flatMap(({ keys = [] }) => keys));
  }
}
