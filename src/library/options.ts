/** What callers of the library may say; everything has a default. */
import type { JsonValue } from "../core/json.ts";

/** What {@linkcode openGrid} takes. */
export interface OpenOptions {
  /** Folder that relative paths start in and that holds `.grid/`. Default: the current folder. */
  readonly project?: string | URL | undefined;
  /** Cluster config, relative to the project. Default: `config/cluster_config.yaml`, if it is there. */
  readonly config?: string | URL | undefined;
  /** Variables for the config, inputs and secrets. Default: those of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Cancels everything that is done with this grid. */
  readonly signal?: AbortSignal | undefined;
}

/** What can be said of any call. */
export interface CallOptions {
  /** Cancels the call. */
  readonly signal?: AbortSignal | undefined;
}

/** What `grid.run` takes besides the file. */
export interface RunOptions extends CallOptions {
  /** Values of the pipeline's inputs. */
  readonly inputs?: Readonly<Record<string, JsonValue>> | undefined;
  /** Steps that may run at the same time. */
  readonly maxParallel?: number | undefined;
  /** Cancel everything else when a step fails. */
  readonly failFast?: boolean | undefined;
  /** Run this step and all that come after it. */
  readonly from?: string | undefined;
  /** Run this step alone. */
  readonly only?: string | undefined;
}

/** What `grid.exec` takes besides the command. */
export interface ExecOptions extends CallOptions {
  /** Run on this node; default: the best one. */
  readonly node?: string | undefined;
  /** On a node with so many free GPUs, which the command then holds. */
  readonly gpus?: number | undefined;
  /** On a node that has all of these labels. */
  readonly labels?: readonly string[] | undefined;
  /** End the command after so many milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** What `grid.health` takes. */
export interface HealthOptions extends CallOptions {
  /** Ask the nodes even where a recent answer is at hand. */
  readonly fresh?: boolean | undefined;
  /** Only these; default: all. */
  readonly nodes?: readonly string[] | undefined;
}

/** What a node must offer. */
export interface NodeWish extends CallOptions {
  /** Free GPUs. */
  readonly gpus?: number | undefined;
  /** Free memory of each of these GPUs, in bytes. */
  readonly minFreeVramBytes?: number | undefined;
  /** The node has all of them. */
  readonly labels?: readonly string[] | undefined;
  /** Restrict the choice to these nodes. */
  readonly among?: readonly string[] | undefined;
  /** How long to wait for one that fits, in milliseconds. Default: not at all. */
  readonly waitMs?: number | undefined;
}

/** What `grid.sync` takes besides the folder. */
export interface SyncOptions extends CallOptions {
  /** Node names; default: all. */
  readonly to?: "all" | readonly string[] | undefined;
  /** Folder name below the node's workspace; default: that of the folder. */
  readonly as?: string | undefined;
}

/** What `grid.fetch` takes besides the patterns. */
export interface FetchOptions extends CallOptions {
  /** The node that has the files. */
  readonly node: string;
  /** Folder there that the patterns start in; default: the node's workspace. */
  readonly folder?: string | undefined;
  /** Folder here; default: the project. */
  readonly to?: string | URL | undefined;
}

/** What `grid.rayBatch` takes: a function or a command, and what it is to be done with. */
export interface RayBatchOptions extends CallOptions {
  /** `module:function`, found in `code`; called with each task. */
  readonly call?: string | undefined;
  /** Or a shell command, which finds its task in `$GRID_TASK`. */
  readonly command?: string | undefined;
  /** One call each. */
  readonly tasks: readonly JsonValue[];
  /** Tasks that travel together. Default: 10. */
  readonly batchSize?: number | undefined;
  /** GPUs that each batch has to itself; a fraction shares one. Default: 0. */
  readonly gpusPerBatch?: number | undefined;
  /** Default: 1. */
  readonly cpusPerBatch?: number | undefined;
  /** Tasks that may fail. Default: 0. */
  readonly maxFailures?: number | undefined;
  /** Folder that every node gets first. Default with `call`: the project; with `command`: none. */
  readonly code?: string | URL | undefined;
}
