import type { GpuFacts } from "./node.ts";

/**
 * What the maker's runtime knows a GPU by. CUDA counts only what it may open, so a number shifts where
 * one card is hidden; a UUID does not. HIP numbers as the kernel does.
 */
export function runtimeName(gpu: GpuFacts): string {
  if (
    gpu.maker === "nvidia" && gpu.uuid !== undefined && /^(GPU|MIG)-[A-Za-z0-9-]+$/.test(gpu.uuid)
  ) {
    return gpu.uuid;
  }
  return String(gpu.visibleIndex ?? gpu.ownIndex ?? gpu.index);
}

/** A GPU's name in claims: the same for every account, and part of a file name. */
export function claimKey(gpu: Pick<GpuFacts, "index" | "uuid" | "maker">): string {
  return gpu.uuid !== undefined && /^[A-Za-z0-9-]+$/.test(gpu.uuid)
    ? gpu.uuid
    : `${gpu.maker === "amd" ? "amd-" : ""}index-${gpu.index}`;
}
