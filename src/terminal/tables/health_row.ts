import type { FoldedGpus, ShownLook } from "./health_cells.ts";

/** What is shown of a node; the cluster's own rows have this form. */
export interface HealthRow {
  readonly node: string;
  readonly at: number;
  readonly status: "ok" | "unusable" | "unreachable";
  readonly reason: string | undefined;
  readonly hint: string | undefined;
  readonly score: number | undefined;
  readonly cpuPercent: number | undefined;
  readonly gpuPercent: number | undefined;
  /** Points of what was placed there and is not measured yet. */
  readonly placed: number;
  /** What the score is the sum of. */
  readonly parts?: readonly HealthPart[];
  readonly facts: HealthFacts | undefined;
  readonly gpuGroups?: readonly FoldedGpus[];
  /** Free ones that are kept for those who wait in line, by index. */
  readonly keptGpus?: readonly number[];
  readonly remarks?: readonly { readonly words: string; readonly cure: string | undefined }[];
  readonly looks?: readonly ShownLook[];
  readonly sharesWith?: readonly string[];
  readonly sameAs?: string | undefined;
}

export interface HealthPart {
  readonly name: string;
  readonly points: number;
  readonly words: string;
}

export interface HealthFacts {
  readonly load1: number | undefined;
  readonly cores: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly memoryAvailableBytes: number | undefined;
  readonly diskFreeBytes: number | undefined;
  readonly diskUsedPercent: number | undefined;
  readonly gpus: readonly HealthGpu[];
  readonly gpuTool: string;
  readonly drains?: readonly { readonly account: string }[];
  readonly gpuProblem: string | undefined;
}

export interface HealthGpu {
  readonly index: number;
  readonly name: string | undefined;
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly utilizationPercent: number | undefined;
  readonly temperatureCelsius: number | undefined;
  readonly sick: string | undefined;
  readonly doubt?: string;
  readonly leases?: readonly HealthClaim[];
  readonly processes?: readonly {
    readonly pid: number;
    readonly command: string;
    readonly memoryBytes: number | undefined;
  }[];
}

/** Who holds a GPU; what a node does not tell is not shown. */
export interface HealthClaim {
  readonly holder: string;
  readonly run?: string | undefined;
  readonly step?: string | undefined;
  /** How long it had held the GPU at the time of the look. */
  readonly ageMs?: number | undefined;
  /** How long such work took in earlier runs. */
  readonly lastsMs?: number | undefined;
  /** Another one of the same work says more. */
  readonly isCovered?: boolean;
}
