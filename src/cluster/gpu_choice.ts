/** Which GPUs of a node Grid may use, and which of them are free. */
import { formatSize } from "../core/size.ts";
import { formatDuration } from "../core/duration.ts";
import type { GpuClaim, GpuFacts, Node } from "./node.ts";

/**
 * A GPU that somebody computes on is busy, whatever memory that takes. Where the tool does not say who
 * does, one counts as busy when more than a tenth of its memory is in use, and more than what a desktop
 * or an idle driver holds. Utilisation is no measure: old drivers show 100 % for an idle card.
 */
const BUSY_SHARE = 0.1;
const IDLE_BYTES = 512 * 2 ** 20;
/** A desktop on a small card. */
const IDLE_SHARE = 0.25;
/** Of a GPU in the machine's memory, where everything else lies too, and which has no other measure. */
const BUSY_PERCENT = 20;

export interface GpuWish {
  readonly gpus: number;
  readonly minFreeVramBytes: number | undefined;
  /** Whose claims are no obstacle. */
  readonly group?: string | undefined;
  /** Part of the model's name, in any letters. */
  readonly model?: string | undefined;
  /** Others may use the GPU as well, if they say so, too. */
  readonly share?: boolean | undefined;
}

/** The GPUs that the owner lends: the first `gpus` of the node. */
export function lentGpus(node: Node, gpus: readonly GpuFacts[]): readonly GpuFacts[] {
  const inOrder = gpus.toSorted((a, b) => a.index - b.index);
  return node.gpus === undefined ? inOrder : inOrder.slice(0, node.gpus);
}

/**
 * The GPUs that fit the wish, the best first: those that the group holds already; then those of which
 * all is known, cards before a processor's own GPU, and the most free memory first.
 */
export function fittingGpus(gpus: readonly GpuFacts[], wish: GpuWish): readonly GpuFacts[] {
  const rank = (gpu: GpuFacts) =>
    isHeldBy(gpu, wish.group) ? 0 : gpu.doubt !== undefined ? 3 : gpu.unified ? 2 : 1;
  return gpus.filter((gpu) => whyNot(gpu, wish) === undefined)
    .toSorted((a, b) => rank(a) - rank(b) || freeBytes(b) - freeBytes(a) || a.index - b.index);
}

function freeBytes({ memoryUsedBytes: used, memoryTotalBytes: total }: GpuFacts): number {
  return used === undefined || total === undefined ? 0 : total - used;
}

function isHeldBy(gpu: GpuFacts, group: string | undefined): boolean {
  return group !== undefined &&
    (gpu.leases ?? []).some((lease) => lease.group === group && lease.isOwn !== false);
}

/** Why a GPU does not fit; undefined where it does. */
export function whyNot(gpu: GpuFacts, wish: GpuWish): string | undefined {
  const never = whyNever(gpu, wish);
  if (never !== undefined) return never;
  if (isHeldBy(gpu, wish.group)) return undefined;
  const lease = gpu.leases?.find(({ isShared }) => !(wish.share && isShared));
  if (wish.gpus > 0 && lease) return `GPU ${gpu.index} is held by ${holderWords(lease)}`;
  const { memoryUsedBytes: used, memoryTotalBytes: total, processes = [] } = gpu;
  const [process] = processes;
  if (wish.gpus > 0 && !wish.share && process !== undefined) {
    return `GPU ${gpu.index} is used by ${process.command} (process ${process.pid})`;
  }
  if (used === undefined || total === undefined) return undefined;
  const busy = wish.gpus > 0 && !wish.share ? busyWords(gpu, { used, total }) : undefined;
  if (busy !== undefined) return `GPU ${gpu.index} is busy (${busy})`;
  if (wish.minFreeVramBytes !== undefined && total - used < wish.minFreeVramBytes) {
    return `GPU ${gpu.index} has ${formatSize(total - used)} free, ${wantedWords(wish)}`;
  }
  return undefined;
}

/** Why no waiting makes a GPU fit; undefined where it may. */
export function whyNever(gpu: GpuFacts, wish: GpuWish): string | undefined {
  if (gpu.sick !== undefined) return `GPU ${gpu.index} is sick: ${gpu.sick}`;
  if (gpu.isSlice && wish.gpus > 1) {
    return `GPU ${gpu.index} is a MIG slice, of which a program can use only one`;
  }
  const model = wish.model?.toLowerCase();
  if (model !== undefined && !modelOf(gpu).includes(model)) {
    return `GPU ${gpu.index} is ${gpu.name ?? "of an unknown model"}`;
  }
  if (isHeldBy(gpu, wish.group)) return undefined;
  if (gpu.doubt !== undefined && gpu.utilizationPercent === undefined) {
    return `GPU ${gpu.index}: ${gpu.doubt}`;
  }
  const { memoryUsedBytes: used, memoryTotalBytes: total } = gpu;
  if (used === undefined || total === undefined) {
    return `GPU ${gpu.index} does not say how much of its memory is used`;
  }
  if (wish.minFreeVramBytes !== undefined && total < wish.minFreeVramBytes) {
    return `GPU ${gpu.index} has ${formatSize(total)}, ${wantedWords(wish)}`;
  }
  return undefined;
}

function wantedWords({ minFreeVramBytes = 0 }: GpuWish): string {
  return `${formatSize(minFreeVramBytes)} are wanted`;
}

/** In small letters. */
export function modelOf({ name = "" }: GpuFacts): string {
  return name.toLowerCase();
}

function holderWords({ holder, run, step, ageMs, lastsMs }: GpuClaim): string {
  const about = [
    ...(run ? [`run ${run}`] : []),
    ...(step ? [`step ${step}`] : []),
    ...(ageMs !== undefined && ageMs >= 1000 ? [`for ${formatDuration(wholeSeconds(ageMs))}`] : []),
    ...(lastsMs !== undefined && ageMs !== undefined && lastsMs > ageMs
      ? [`free in about ${formatDuration(wholeSeconds(lastsMs - ageMs))}`]
      : []),
  ];
  return `a job of ${holder}${about.length > 0 ? ` (${about.join(", ")})` : ""}`;
}

function wholeSeconds(ms: number): number {
  // What takes hours is not told to the second.
  const unit = ms > 600_000 ? 60_000 : 1000;
  return Math.max(1000, Math.round(ms / unit) * unit);
}

/** By memory, unless that is the machine's own, of which the GPU's share is not known. */
function busyWords(
  { unified, utilizationPercent = 0, maker }: GpuFacts,
  { used, total }: { readonly used: number; readonly total: number },
): string | undefined {
  if (unified && maker === "nvidia") {
    return utilizationPercent < BUSY_PERCENT ? undefined : `${utilizationPercent} % utilisation`;
  }
  const idle = Math.max(Math.min(IDLE_BYTES, IDLE_SHARE * total), BUSY_SHARE * total);
  return used <= idle ? undefined : `${Math.round(100 * used / total)} % of its memory is used`;
}

/** Used memory in percent, averaged; a GPU that does not say counts as full, because unknown is not free. */
export function usedPercent(gpus: readonly GpuFacts[]): number {
  if (gpus.length === 0) return 0;
  const shares = gpus.map(({ memoryUsedBytes: used, memoryTotalBytes: total }) =>
    used === undefined || !total ? 100 : Math.min(100, 100 * used / total)
  );
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** A program computes on the cards of one maker; of the first that has enough, else of the best one's. */
export function ofOneMaker(gpus: readonly GpuFacts[], count: number): readonly GpuFacts[] {
  const kinds = [...Map.groupBy(gpus, ({ maker }) => maker).values()];
  return kinds.find((kind) => kind.length >= count) ?? kinds[0] ?? [];
}
