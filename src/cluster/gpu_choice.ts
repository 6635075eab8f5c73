/** Which GPUs of a node Grid may use, and which of them are free. */
import { formatSize } from "../core/size.ts";
import type { GpuFacts, Node } from "./node.ts";

/**
 * A GPU counts as busy when more than a tenth of its memory, and more than what a desktop or an idle
 * driver holds, is in use. Utilisation is no measure: old drivers show 100 % for an idle card.
 */
const BUSY_SHARE = 0.1;
const IDLE_BYTES = 512 * 2 ** 20;

export interface GpuWish {
  readonly gpus: number;
  readonly minFreeVramBytes: number | undefined;
  /** Whose leases are no obstacle. */
  readonly group?: string | undefined;
}

/** The GPUs that the owner lends: the first `gpus` of the node. */
export function lentGpus(node: Node, gpus: readonly GpuFacts[]): readonly GpuFacts[] {
  const inOrder = gpus.toSorted((a, b) => a.index - b.index);
  return node.gpus === undefined ? inOrder : inOrder.slice(0, node.gpus);
}

/** The GPUs that fit the wish: those that the group holds already, then the least used. */
export function fittingGpus(gpus: readonly GpuFacts[], wish: GpuWish): readonly GpuFacts[] {
  const rank = (gpu: GpuFacts) => isHeldBy(gpu, wish.group) ? -1 : gpu.memoryUsedBytes ?? 0;
  return gpus.filter((gpu) => whyNot(gpu, wish) === undefined)
    .toSorted((a, b) => rank(a) - rank(b) || a.index - b.index);
}

function isHeldBy(gpu: GpuFacts, group: string | undefined): boolean {
  return group !== undefined && (gpu.leases ?? []).some((lease) => lease.group === group);
}

/** Why a GPU does not fit; undefined where it does. */
export function whyNot(gpu: GpuFacts, wish: GpuWish): string | undefined {
  if (gpu.sick !== undefined) return `GPU ${gpu.index} is sick: ${gpu.sick}`;
  if (isHeldBy(gpu, wish.group)) return undefined;
  const [lease] = gpu.leases ?? [];
  if (wish.gpus > 0 && lease) return `GPU ${gpu.index} is leased by a job of ${lease.holder}`;
  const { memoryUsedBytes: used, memoryTotalBytes: total } = gpu;
  if (used === undefined || total === undefined) {
    return `GPU ${gpu.index} does not say how much of its memory is used`;
  }
  if (wish.gpus > 0 && used > Math.max(IDLE_BYTES, BUSY_SHARE * total)) {
    return `GPU ${gpu.index} is busy (${Math.round(100 * used / total)} % of its memory is used)`;
  }
  if (wish.minFreeVramBytes !== undefined && total - used < wish.minFreeVramBytes) {
    return `GPU ${gpu.index} has ${formatSize(total - used)} free`;
  }
  return undefined;
}

/** Used memory in percent, averaged; a GPU that does not say counts as full, because unknown is not free. */
export function usedPercent(gpus: readonly GpuFacts[]): number {
  if (gpus.length === 0) return 0;
  const shares = gpus.map(({ memoryUsedBytes: used, memoryTotalBytes: total }) =>
    used === undefined || !total ? 100 : Math.min(100, 100 * used / total)
  );
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
