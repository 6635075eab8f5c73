/** Exactly one of these says what a step does. */
export const STEP_KINDS = ["sync", "select-node", "run", "ray-batch", "fetch", "uses"] as const;
export type KindKey = typeof STEP_KINDS[number];

/** What steps of these kinds give later ones, always; the outputs of others depend on what they run. */
export const KIND_OUTPUTS: Partial<Record<KindKey, readonly string[]>> = {
  "sync": ["folder", "files", "bytes"],
  "select-node": ["node", "score", "gpus", "cores"],
  "ray-batch": ["results", "errors", "total", "failed", "file"],
  "fetch": ["folder", "files", "bytes"],
};

/** What a service gives once it is ready, besides what its step declares; the last two where it has a port. */
export const SERVICE_OUTPUTS: readonly string[] = ["node", "job", "port", "address"];
