import type { GpuFacts } from "./node.ts";

/** What the GPU tool of a node said, or why it said nothing. */
export interface GpuAnswer {
  readonly gpus: readonly GpuFacts[];
  /** Why some or all GPUs are missing from the list. */
  readonly problem: string | undefined;
}
