/** Exactly one of these says what a step does. */
export const STEP_KINDS = [
  "sync",
  "data",
  "select-node",
  "run",
  "ray-batch",
  "fetch",
  "uses",
] as const;
export type KindKey = typeof STEP_KINDS[number];

/** What steps of these kinds give later ones, always; the outputs of others depend on what they run. */
export const KIND_OUTPUTS: Partial<Record<KindKey, readonly string[]>> = {
  "sync": ["folder", "files", "bytes"],
  "data": ["path", "paths", "digest", "files", "bytes", "sent"],
  "select-node": ["node", "score", "gpus", "cores"],
  "ray-batch": ["results", "errors", "total", "failed", "file"],
  "fetch": ["folder", "files", "bytes"],
};

/** What a service gives once it is ready, besides what its step declares; the last two where it has a port. */
export const SERVICE_OUTPUTS: readonly string[] = ["node", "job", "port", "address"];

/** Steps of these kinds bring what lies here to nodes: they look for changes each time, a resume included. */
export function looksAlways(kind: string): boolean {
  return kind === "sync" || kind === "data";
}

/** The variable in which a command finds the path of a data set. */
export function dataVariable(name: string): string {
  return `GRID_DATA_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}
