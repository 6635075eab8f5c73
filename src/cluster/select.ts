/** What a node must offer; the cluster's own form of the pipeline's selector. */
export interface NodeSelector {
  readonly gpus: number;
  readonly minFreeVramBytes: number | undefined;
  readonly labels: readonly string[];
  /** Restrict the choice to these names; empty means all. */
  readonly among: readonly string[];
  readonly waitMs: number;
}
