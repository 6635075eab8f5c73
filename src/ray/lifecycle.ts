/** A Ray cluster that Grid starts and stops itself, over SSH. */
import type { NodeHealth, OpenNode } from "../cluster/node.ts";
import type { RayConfig } from "../cluster/config.ts";

export interface RayNodeStatus {
  readonly node: string;
  readonly role: "head" | "worker";
  readonly state: "alive" | "dead" | "stopped" | "failed";
  readonly address: string | undefined;
  readonly cpus: number | undefined;
  readonly gpus: number | undefined;
  /** Of them, what Ray has given out; undefined where Ray was not asked. */
  readonly cpusUsed?: number | undefined;
  readonly gpusUsed?: number | undefined;
  /** Of the machine, by whatever runs there. */
  readonly memory?: { readonly usedBytes: number; readonly totalBytes: number } | undefined;
  /** Why it failed, in one sentence. */
  readonly reason: string | undefined;
  readonly hint: string | undefined;
}

/** A driver that lives, or an actor that outlives its driver. */
export interface RayHolder {
  readonly kind: "job" | "actor";
  /** A batch's id, else the driver's command; the actor's name. */
  readonly name: string;
  readonly pid: number;
  /** The node that the driver runs on. */
  readonly driver?: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** What its tasks and actors hold now. */
  readonly cpus: number;
  readonly gpus: number;
  /** Where it holds something. */
  readonly nodes: readonly string[];
}

export interface RayClusterStatus {
  readonly nodes: readonly RayNodeStatus[];
  readonly holders: readonly RayHolder[];
}

export interface RayCluster {
  /** Head first, then workers at once; every node verified alive. Safe to repeat. */
  start(options: RayOptions): Promise<readonly RayNodeStatus[]>;
  /** Ends exactly what `start` started; workers first. */
  stop(options: RayOptions): Promise<readonly RayNodeStatus[]>;
  status(options: RayOptions): Promise<RayClusterStatus>;
}

export interface RayOptions {
  readonly config: RayConfig;
  /** The node that carries the head, whichever nodes a call is about. */
  readonly headName: string;
  /** Reached nodes that the call is about, in the order of the configuration. */
  readonly nodes: readonly OpenNode[];
  /** All that were reached, the head among them if it was. */
  readonly reached: readonly OpenNode[];
  /** How a node is now; absent: what its owner has declared is believed. */
  readonly health?: ((node: string) => Promise<NodeHealth | undefined>) | undefined;
  readonly signal: AbortSignal;
}
