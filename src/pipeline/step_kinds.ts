/** Exactly one of these says what a step does. */
export const STEP_KINDS = ["sync", "select-node", "run", "ray-batch", "fetch", "uses"] as const;
export type KindKey = typeof STEP_KINDS[number];
