/** What a node must offer; the cluster's own form of the pipeline's selector. */
export interface NodeSelector {
  readonly gpus: number;
  readonly minFreeVramBytes: number | undefined;
  /** Part of the GPU model's name, in any letters. */
  readonly model?: string | undefined;
  /** With others who say so, too. */
  readonly share?: boolean | undefined;
  readonly minFreeMemoryBytes?: number | undefined;
  readonly minFreeDiskBytes?: number | undefined;
  /** Load average of the last minute per usable core. */
  readonly maxLoad?: number | undefined;
  readonly maxScore?: number | undefined;
  readonly labels: readonly string[];
  /** Restrict the choice to these names; empty means all. */
  readonly among: readonly string[];
  readonly exclude?: readonly string[] | undefined;
  readonly waitMs: number;
}
