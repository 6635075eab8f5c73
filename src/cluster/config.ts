/** `config/cluster_config.yaml`, checked. Durations in milliseconds. */
import type { Node, NodeEnvironment } from "./node.ts";

export interface ClusterConfig {
  /** The file, or undefined for the embedded default. */
  readonly file: string | undefined;
  readonly nodes: readonly Node[];
  /** Of commands on this machine itself, the node `local`. */
  readonly local?: NodeEnvironment;
  readonly ssh: { readonly poolSize: number };
  readonly health: HealthConfig;
  /** How long a job outlives its runner, unless it is detached. */
  readonly jobs: { readonly leaseMs: number };
  readonly sync: SyncConfig;
  readonly ray: RayConfig;
}

export interface HealthConfig {
  readonly timeoutMs: number;
  readonly maxWorkers: number;
  readonly cpuWeight: number;
  readonly gpuWeight: number;
  readonly refreshIntervalMs: number;
}

export interface SyncConfig {
  readonly excludePatterns: readonly string[];
  readonly useChecksums: boolean;
  readonly followSymlinks: boolean;
  readonly maxParallelTransfers: number;
}

export interface RayConfig {
  readonly mode: "managed" | "existing" | "embedded";
  /** Whether the config names the mode, so that somebody counts on it. */
  readonly isAsked?: boolean;
  /** `existing`: the dashboard's address, for example `http://10.0.0.1:8265`. */
  readonly address: string | undefined;
  /** `managed`: the node that carries the head; default the first. */
  readonly head: string | undefined;
  /** Version `grid setup` installs. */
  readonly version: string | undefined;
  readonly dashboardHost: string;
  readonly dashboardPort: number;
  /** Ray's GCS port. */
  readonly gcsPort: number;
  readonly headBindAll: boolean;
  readonly namespace: string;
  readonly logLevel: string;
  /** `managed`: bytes of shared memory per node; undefined leaves it to Ray (30 % of the memory). */
  readonly objectStoreMemory?: number | undefined;
  /** `managed`: GPUs of each node that Ray gets; undefined means all that are free. */
  readonly gpus?: number | undefined;
  /** `managed`: where each node keeps Ray's own files; default `/tmp`. */
  readonly tempDir?: string | undefined;
  /** `managed`: where objects go that find no room in shared memory; default below `tempDir`. */
  readonly spillDir?: string | undefined;
}
