import type { Endpoint, Transport } from "../transport/transport.ts";
import type { NodeWork } from "./claim.ts";

/** A machine of the cluster as configured. */
export interface Node {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly labels: readonly string[];
  /** GPUs the owner lets Grid use; undefined means all that the probe finds. */
  readonly gpus: number | undefined;
  /** By which other nodes reach it, where that was said. */
  readonly address?: string | undefined;
  /** As configured, perhaps with a leading `~`. */
  readonly remoteRoot: string;
  /** What commands find there besides the node itself; absent: nothing was said. */
  readonly environment?: NodeEnvironment;
}

/** What the cluster config says of the commands of a node. */
export interface NodeEnvironment {
  /** Shell scripts that run before each command, in its shell. */
  readonly before: readonly string[];
  /** Environment variables of each command. */
  readonly env: Readonly<Record<string, string>>;
  /** What expressions read as `node.<name>`. */
  readonly vars: Readonly<Record<string, string>>;
}

/** A node that has been reached and whose workspace exists and is writable. */
export interface OpenNode {
  readonly node: Node;
  readonly transport: Transport;
  /** Absolute. */
  readonly root: string;
  /** Absolute home folder of the account. */
  readonly home: string;
  /** The same for nodes whose workspaces are one folder; see `shared_home.ts`. */
  readonly workspaceToken?: string | undefined;
  /** The same for all names of one machine; undefined where it does not tell. */
  readonly machine?: string | undefined;
}

/** GPU facts; undefined means that the tool did not say, which is never the same as 0. */
export interface GpuFacts {
  /** One number per card of a node; where one maker's tool speaks alone, that tool's own. */
  readonly index: number;
  /** Whose driver tells of it. */
  readonly maker: GpuMaker;
  /** As the driver names it. */
  readonly uuid: string | undefined;
  /** The model. */
  readonly name: string | undefined;
  /** Of its own memory. */
  readonly memoryUsedBytes: number | undefined;
  /** All there is. */
  readonly memoryTotalBytes: number | undefined;
  /** Busy time of the last moment. */
  readonly utilizationPercent: number | undefined;
  /** As its sensor says. */
  readonly temperatureCelsius: number | undefined;
  /** Why this GPU must not be used, for example uncorrected ECC errors. */
  readonly sick: string | undefined;
  /** What is not known of it and may be bad: it is taken last. */
  readonly doubt?: string;
  /** It has no memory of its own; the figures are the machine's. */
  readonly unified?: true;
  /** A part of a card that was divided; the memory is the part's. */
  readonly isPartition?: true;
  /** A part of a card that is split by MIG; a program can use one of them, and no more. */
  readonly isSlice?: true;
  /** The maker's tool's number, where `index` had to differ. */
  readonly ownIndex?: number;
  /** The runtime's number, where it differs from the tool's. */
  readonly visibleIndex?: number;
  /** What computes on it, of any account. */
  readonly processes?: readonly GpuProcess[];
  /** Jobs of Grid that hold it, of any account. */
  readonly leases?: readonly GpuClaim[];
}

/** Makers whose tools a probe asks. */
export type GpuMaker = "nvidia" | "amd" | "intel";

/** A process that uses a GPU. */
export interface GpuProcess {
  /** On its node. */
  readonly pid: number;
  /** What it was started as. */
  readonly command: string;
  /** Of the GPU. */
  readonly memoryBytes: number | undefined;
}

/** A job that holds a GPU. */
export interface GpuClaim {
  /** Jobs of one group share a GPU. */
  readonly group: string;
  /** The account that runs the job. */
  readonly holder: string;
  /** Whether it is the account that asks, which alone can share it by the group. */
  readonly isOwn?: boolean;
  /** It shares the GPU with others that say so. */
  readonly isShared?: true;
  /** A job of the same group holds the GPU as well, and says more. */
  readonly isCovered?: true;
  /** What the GPU is for. */
  readonly run?: string;
  /** Of that run. */
  readonly step?: string;
  /** How long it has held the GPU when the node was asked. */
  readonly ageMs?: number;
  /** How long such a job took in earlier runs. */
  readonly lastsMs?: number;
}

/** What a probe found; undefined means that the node did not say. */
export interface NodeFacts {
  /** Load average of the last minute. */
  readonly load1: number | undefined;
  /** Cores usable by this account: affinity, cgroup quota and online count considered. */
  readonly cores: number | undefined;
  /** All there is. */
  readonly memoryTotalBytes: number | undefined;
  /** What programs could still get. */
  readonly memoryAvailableBytes: number | undefined;
  /** Where the workspace lies. */
  readonly diskFreeBytes: number | undefined;
  /** Where the workspace lies. */
  readonly diskUsedPercent: number | undefined;
  /** Why steps could not start there; undefined where nothing is known to be in the way. */
  readonly workspaceProblem?: string | undefined;
  /** Programs that jobs need, and that are not on its PATH. */
  readonly missingTools?: readonly string[] | undefined;
  /** Why this account can hold no GPU there; undefined where nothing is known to be in the way. */
  readonly claimsProblem?: Remark | undefined;
  /** Accounts that asked for no new work there. */
  readonly drains?: readonly Drain[];
  /** The same for nodes whose workspaces are one folder; undefined before the first use. */
  readonly workspaceToken?: string | undefined;
  /** The same for all names of one machine, until it starts anew; undefined where it does not tell. */
  readonly machine?: string | undefined;
  /** Every GPU, in the driver's order. */
  readonly gpus: readonly GpuFacts[];
  /** `none`: no tool and no GPU; `failed`: a tool is there but did not answer. */
  readonly gpuTool: "nvidia-smi" | "amd-smi" | "rocm-smi" | "xpu-smi" | "none" | "failed";
  /** Why nothing is known of the GPUs. */
  readonly gpuProblem: string | undefined;
  /** Who is there and who waits, of all accounts; undefined where the node did not tell. */
  readonly work?: NodeWork | undefined;
}

/** A node's note that nothing new shall be started there. */
export interface Drain {
  /** Who asked for it: the owner of the note. */
  readonly account: string;
  /** Milliseconds since the Unix epoch. */
  readonly sinceAt: number;
  /** When it ends by itself; undefined: never. */
  readonly untilAt: number | undefined;
  /** One line; may be empty. */
  readonly reason: string;
}

/** One row of `grid health`. */
export interface NodeHealth {
  /** Its name. */
  readonly node: string;
  /** Milliseconds since the Unix epoch when the probe ended. */
  readonly at: number;
  /** Whether an earlier answer was used. */
  readonly fromCache: boolean;
  /** It kept silent until patience ended, unlike one that refused. */
  readonly isSilent?: boolean;
  /** What is wrong stays so until a person sees to it. */
  readonly isLasting?: boolean;
  /** Whether it can be used; `unusable` nodes answer. */
  readonly status: "ok" | "unusable" | "unreachable";
  /** Why it is not `ok`. */
  readonly reason: string | undefined;
  /** What to do about it. */
  readonly hint: string | undefined;
  /** Weighted load as measured, lower is better; undefined where not `ok`. */
  readonly score: number | undefined;
  /** Load in relation to the cores. */
  readonly cpuPercent: number | undefined;
  /** Mean over the GPUs of the greater of time and memory. */
  readonly gpuPercent: number | undefined;
  /** Points for what was placed there and is not measured yet; a choice adds them to the score. */
  readonly placed: number;
  /** How the score came about; present where there are facts. */
  readonly parts?: readonly ScorePart[];
  /** What the score was made from. */
  readonly facts: NodeFacts | undefined;
  /** Its GPUs by model; absent where there are no facts. */
  readonly gpuGroups?: readonly GpuGroup[];
  /** What is wrong there although it answers, each with its cure. */
  readonly remarks?: readonly Remark[];
  /** Cards that it had in the last seven days and has no more. */
  readonly missingGpus?: readonly MissingGpu[];
  /** Free ones that are kept for those who wait in line, by index. */
  readonly keptGpus?: readonly number[];
  /** The last looks, the oldest first. */
  readonly looks?: readonly PastLook[];
  /** Other nodes whose workspace is the same folder. */
  readonly sharesWith?: readonly string[];
  /** The node before it that is this very machine and workspace: what is there is counted with that. */
  readonly sameAs?: string | undefined;
}

/** Cards of one model and size. */
export interface GpuGroup {
  /** Without its maker and the way it is built in: `H100`. */
  readonly model: string;
  /** Of each; undefined where the tool does not say. */
  readonly memoryBytes: number | undefined;
  /** All that the owner lends. */
  readonly total: number;
  /** Of these, those that a job which wants one could have. */
  readonly free: number;
  /** Of these, those that must not be used. */
  readonly sick: number;
  /** They have no memory of their own. */
  readonly unified: boolean;
}

/** Something wrong, and what to do about it. */
export interface Remark {
  /** Without a full stop. */
  readonly words: string;
  /** The command that cures it, or that shows what a person must judge; undefined where none is known. */
  readonly cure: string | undefined;
}

/** A card that was there once. */
export interface MissingGpu {
  /** As the driver named it. */
  readonly uuid: string;
  /** The model. */
  readonly name: string | undefined;
  /** Its number when it was there. */
  readonly index: number;
  /** Milliseconds since the Unix epoch. */
  readonly seenAt: number;
}

/** How a node was at some time. */
export interface PastLook {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** As measured then; undefined where it could not be used. */
  readonly score: number | undefined;
}

/** One summand of a score. */
export interface ScorePart {
  /** What was measured. */
  readonly name: "cpu" | "gpu";
  /** What it adds to the score. */
  readonly points: number;
  /** `load 3.2 on 16 cores = 20 %, × 1`. */
  readonly words: string;
}
