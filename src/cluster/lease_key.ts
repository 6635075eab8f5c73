import type { GpuFacts } from "./node.ts";

/** A GPU's name in claims: the same for every account, and part of a file name. */
export function leaseKey(gpu: Pick<GpuFacts, "index" | "uuid">): string {
  return gpu.uuid !== undefined && /^[A-Za-z0-9-]+$/.test(gpu.uuid)
    ? gpu.uuid
    : `index-${gpu.index}`;
}
