/** A Ray cluster that Grid starts and stops itself, over SSH. */
import type { OpenNode } from "../cluster/node.ts";
import type { RayConfig } from "../cluster/config.ts";

export interface RayNodeStatus {
  readonly node: string;
  readonly role: "head" | "worker";
  readonly state: "alive" | "dead" | "stopped" | "failed";
  readonly address: string | undefined;
  readonly cpus: number | undefined;
  readonly gpus: number | undefined;
  /** Why it failed, in one sentence. */
  readonly reason: string | undefined;
  readonly hint: string | undefined;
}

export interface RayCluster {
  /** Head first, then workers at once; every node verified alive. Safe to repeat. */
  start(options: RayOptions): Promise<readonly RayNodeStatus[]>;
  /** Ends exactly what `start` started; workers first. */
  stop(options: RayOptions): Promise<readonly RayNodeStatus[]>;
  status(options: RayOptions): Promise<readonly RayNodeStatus[]>;
}

export interface RayOptions {
  readonly config: RayConfig;
  /** Reached nodes in the order of the configuration. */
  readonly nodes: readonly OpenNode[];
  readonly signal: AbortSignal;
}
