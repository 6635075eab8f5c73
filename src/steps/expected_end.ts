/** Others in the line of a node are told how long a step usually holds its GPUs. */
import type { Cluster } from "../cluster/cluster.ts";
import type { JobWords } from "../cluster/claim_wish.ts";
import type { Step } from "../pipeline/pipeline.ts";

/**
 * The cluster, for steps whose wishes for GPUs say how long they will take.
 *
 * @param usualMs by step; asked only where GPUs are wanted
 */
export function withExpectedEnds(
  cluster: Cluster,
  usualMs: (step: string) => number | undefined,
): Cluster {
  const told = (words: JobWords): JobWords => ({ ...words, lastsMs: usualMs(words.step) });
  return {
    nodes: cluster.nodes,
    open: (name, options) => cluster.open(name, options),
    health: (options) => cluster.health(options),
    select: (selector, options = {}) => {
      const { words } = options;
      const isWish = selector.gpus > 0 && words !== undefined;
      return cluster.select(selector, isWish ? { ...options, words: told(words) } : options);
    },
    gather: (selector, options) => {
      const { words } = options;
      return cluster.gather(
        selector,
        selector.gpus > 0 ? { ...options, words: told(words) } : options,
      );
    },
    release: (holder) => cluster.release(holder),
    releaseAll: (run) => cluster.releaseAll(run),
    released: () => cluster.released(),
    claim: (node, wish, options) =>
      cluster.claim(node, wish.gpus > 0 ? { ...wish, words: told(wish.words) } : wish, options),
    [Symbol.dispose]: () => cluster[Symbol.dispose](),
  };
}

interface UsualTime {
  readonly step: string;
  readonly usualMs: number | undefined;
}

/**
 * Of steps whose work ends with them. What `select-node` chose is held until the run is over: where one more step is
 * all of it, as of a single command, that is known, too.
 */
export function usualTimes(
  steps: readonly Step[],
  read: () => readonly UsualTime[],
): (step: string) => number | undefined {
  let times: ReadonlyMap<string, number | undefined> | undefined;
  return (step) => {
    times ??= new Map(read().map((each) => [each.step, each.usualMs]));
    const isWork = steps.find(({ id }) => id === step)?.action.kind !== "select-node";
    if (isWork) return times.get(step);
    const [other, ...more] = steps.filter(({ id }) => id !== step);
    return other === undefined || more.length > 0 ? undefined : times.get(other.id);
  };
}
