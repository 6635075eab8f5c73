import type { Endpoint, Transport } from "../transport/transport.ts";

/** A machine of the cluster as configured. */
export interface Node {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly labels: readonly string[];
  /** GPUs the owner lets Grid use; undefined means all that the probe finds. */
  readonly gpus: number | undefined;
  /** As configured, perhaps with a leading `~`. */
  readonly remoteRoot: string;
}

/** A node that has been reached and whose workspace exists and is writable. */
export interface OpenNode {
  readonly node: Node;
  readonly transport: Transport;
  /** Absolute. */
  readonly root: string;
  /** Absolute home folder of the account. */
  readonly home: string;
}

/** GPU facts; undefined means that the tool did not say, which is never the same as 0. */
export interface GpuFacts {
  /** One number per card of a node; where one maker's tool speaks alone, that tool's own. */
  readonly index: number;
  readonly maker: GpuMaker;
  readonly uuid: string | undefined;
  readonly name: string | undefined;
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly utilizationPercent: number | undefined;
  readonly temperatureCelsius: number | undefined;
  /** Why this GPU must not be used, for example uncorrected ECC errors. */
  readonly sick: string | undefined;
  /** What is not known of it and may be bad: it is taken last. */
  readonly doubt?: string;
  /** It has no memory of its own; the figures are the machine's. */
  readonly unified?: true;
  /** A part of a card that was divided; the memory is the part's. */
  readonly isPartition?: true;
  /** The maker's tool's number, where `index` had to differ. */
  readonly ownIndex?: number;
  /** The runtime's number, where it differs from the tool's. */
  readonly visibleIndex?: number;
  /** What computes on it, of any account. */
  readonly processes?: readonly GpuProcess[];
  /** Jobs of Grid that hold it, of any account. */
  readonly leases?: readonly GpuLease[];
}

export type GpuMaker = "nvidia" | "amd" | "intel";

export interface GpuProcess {
  readonly pid: number;
  readonly command: string;
  readonly memoryBytes: number | undefined;
}

export interface GpuLease {
  /** Jobs of one group share a GPU. */
  readonly group: string;
  /** The account that runs the job. */
  readonly holder: string;
}

export interface NodeFacts {
  readonly load1: number | undefined;
  /** Cores usable by this account: affinity, cgroup quota and online count considered. */
  readonly cores: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly memoryAvailableBytes: number | undefined;
  readonly diskFreeBytes: number | undefined;
  readonly diskUsedPercent: number | undefined;
  /** Why steps could not start there; undefined where nothing is known to be in the way. */
  readonly workspaceProblem?: string | undefined;
  readonly gpus: readonly GpuFacts[];
  /** `none`: no tool and no GPU; `failed`: a tool is there but did not answer. */
  readonly gpuTool: "nvidia-smi" | "amd-smi" | "rocm-smi" | "xpu-smi" | "none" | "failed";
  readonly gpuProblem: string | undefined;
}

/** One row of `grid health`. */
export interface NodeHealth {
  readonly node: string;
  /** Milliseconds since the Unix epoch when the probe ended. */
  readonly at: number;
  readonly fromCache: boolean;
  /** It kept silent until patience ended, unlike one that refused. */
  readonly isSilent?: boolean;
  readonly status: "ok" | "unusable" | "unreachable";
  /** Why it is not `ok`. */
  readonly reason: string | undefined;
  readonly hint: string | undefined;
  /** Weighted load as measured, lower is better; undefined where not `ok`. */
  readonly score: number | undefined;
  readonly cpuPercent: number | undefined;
  readonly gpuPercent: number | undefined;
  /** Points for what was placed there and is not measured yet; a choice adds them to the score. */
  readonly placed: number;
  /** How the score came about; present where there are facts. */
  readonly parts?: readonly ScorePart[];
  readonly facts: NodeFacts | undefined;
}

/** One summand of a score. */
export interface ScorePart {
  readonly name: "cpu" | "gpu";
  readonly points: number;
  /** `load 3.2 on 16 cores = 20 %, × 1`. */
  readonly words: string;
}
