/** Which GPUs of a node a wish may have now, after who holds them and who waits for them. */
import type { NodeWork, Waiting } from "./claim.ts";
import {
  fittingGpus,
  type GpuWish,
  lentGpus,
  modelOf,
  ofOneMaker,
  whyNever,
  whyNot,
} from "./gpu_choice.ts";
import { claimKey } from "./claim_key.ts";
import { foldReasons } from "./gpu_reasons.ts";
import { type LineGpu, type LineWish, turnOf } from "./line.ts";
import { beforeNewcomer, lineOrder } from "./line_order.ts";
import type { GpuFacts, Node, NodeFacts } from "./node.ts";

/** Who asks. */
export interface Asker {
  /** A random word of this process; see `Placements`. */
  readonly owner: string;
  /** Which run, among those of one account. */
  readonly run?: string | undefined;
  /** Its place in the line, where it has one. */
  readonly ticket?: string | undefined;
  /** How long the work takes, by earlier runs. */
  readonly lastsMs?: number | undefined;
}

export interface GpuTurn {
  /** The best first, and at least as many as wanted; undefined where there are too few. */
  readonly gpus: readonly GpuFacts[] | undefined;
  /** Why there are too few. */
  readonly reason: string;
  /** Waiting cannot change it. */
  readonly isFinal: boolean;
  /** Wishes that go first. */
  readonly before: number;
  /** Undefined: nobody knows. */
  readonly startsInMs: number | undefined;
}

export interface TurnOptions {
  readonly facts: Pick<NodeFacts, "gpus" | "work">;
  readonly wish: GpuWish;
  readonly asker?: Asker | undefined;
  /** What this process has given away already, by `claimKey`. */
  readonly promised?: ReadonlySet<string> | undefined;
}

/** Of a node that lends as many as are wanted. */
export function gpuTurn(node: Node, options: TurnOptions): GpuTurn {
  const { facts, wish, asker, promised = new Set() } = options;
  const wanted = Math.max(1, wish.gpus);
  const lent = lentGpus(node, facts.gpus);
  const able = lent.filter((gpu) => whyNever(gpu, wish) === undefined);
  const reasons = lent.map((gpu) => whyNot(gpu, wish)).filter((why) => why !== undefined);
  const isPromised = (gpu: GpuFacts) => wish.gpus > 0 && promised.has(claimKey(gpu));
  const free = fittingGpus(lent, wish).filter((gpu) => !isPromised(gpu));
  const { work } = facts;
  const before = wish.gpus > 0 && work !== undefined ? ahead(work, asker) : [];
  const turn = turnOf(lineWish(wish, { gpus: lent, lastsMs: asker?.lastsMs }), {
    gpus: lent.filter((gpu) => gpu.sick === undefined)
      .map((gpu) => lineGpu(gpu, { isFree: free.includes(gpu), isPromised: isPromised(gpu) })),
    before: before.map((each) => lineWish(wishOf(each), { gpus: lent, lastsMs: each.lastsMs })),
  });
  const open = new Set(turn.now);
  const usable = ofOneMaker(free.filter((gpu) => open.has(claimKey(gpu))), wanted);
  const given = lent.filter((gpu) => isPromised(gpu) && whyNot(gpu, wish) === undefined).length;
  if (given > 0) reasons.push(`${given} ${given === 1 ? "is" : "are"} about to be used`);
  if (free.length >= wanted && usable.length < wanted) reasons.push(lineWords(turn.before));
  const count = wanted > 1 ? `${free.length} of ${wanted} GPUs fit: ` : "";
  return {
    gpus: usable.length >= wanted ? usable : undefined,
    reason: count + foldReasons(reasons),
    isFinal: able.length < wanted,
    before: turn.before,
    startsInMs: turn.startsInMs,
  };
}

/** Free GPUs that nobody gets who comes now: they are kept for those who wait. */
export function keptGpus(
  node: Node,
  { gpus, work }: Pick<NodeFacts, "gpus" | "work">,
): readonly GpuFacts[] {
  if (work === undefined || work.line.length === 0) return [];
  const lent = lentGpus(node, gpus);
  const free = lent.filter((gpu) => whyNot(gpu, ONE) === undefined);
  const turn = turnOf(lineWish(ONE, { gpus: lent, lastsMs: undefined }), {
    gpus: lent.filter((gpu) => gpu.sick === undefined)
      .map((gpu) => lineGpu(gpu, { isFree: free.includes(gpu), isPromised: false })),
    before: lineOrder(work).map((each) =>
      lineWish(wishOf(each), { gpus: lent, lastsMs: each.lastsMs })
    ),
  });
  const open = new Set(turn.now);
  return free.filter((gpu) => !open.has(claimKey(gpu)));
}

const ONE = { gpus: 1, minFreeVramBytes: undefined };

function lineWords(before: number): string {
  return `${before} ${before === 1 ? "waits" : "wait"} in line for free GPUs`;
}

function ahead(work: NodeWork, asker: Asker | undefined): readonly Waiting[] {
  const order = lineOrder(work);
  const at = order.findIndex(({ owner, id }) => owner === asker?.owner && id === asker.ticket);
  return at < 0 ? beforeNewcomer(work, asker?.run) : order.slice(0, at);
}

function wishOf({ gpus, minFreeVramBytes, model }: Waiting): GpuWish {
  return { gpus, minFreeVramBytes, model };
}

function lineWish(
  wish: GpuWish,
  { gpus, lastsMs }: { readonly gpus: readonly GpuFacts[]; readonly lastsMs: number | undefined },
): LineWish {
  const able = new Set(
    gpus.filter((gpu) =>
      gpu.sick === undefined &&
      (wish.model === undefined || modelOf(gpu).includes(wish.model.toLowerCase())) &&
      (wish.minFreeVramBytes ?? 0) <= (gpu.memoryTotalBytes ?? 0)
    ).map(claimKey),
  );
  return { gpus: Math.max(1, wish.gpus), fits: ({ key }) => able.has(key), lastsMs };
}

/** What nobody holds and is not free either, such as one that somebody uses by hand: nobody knows. */
function lineGpu(
  gpu: GpuFacts,
  { isFree, isPromised }: { readonly isFree: boolean; readonly isPromised: boolean },
): LineGpu {
  const key = claimKey(gpu);
  const isIdle = whyNot(gpu, { gpus: 1, minFreeVramBytes: undefined }) === undefined;
  if (isFree || (isIdle && !isPromised)) return { key, freeInMs: 0 };
  const left = (gpu.leases ?? []).map(({ ageMs = 0, lastsMs = 0 }) =>
    lastsMs > ageMs ? lastsMs - ageMs : Number.POSITIVE_INFINITY
  );
  return { key, freeInMs: left.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...left) };
}
