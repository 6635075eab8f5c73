/** One node's facts in one round trip: what is sent, and what its answer means. */
import { quote } from "../core/shell.ts";
import { amdGpus, rocmGpus } from "./gpu_amd.ts";
import { nvidiaGpus } from "./gpu_nvidia.ts";
import { leaseKey } from "./lease_key.ts";
import type { GpuFacts, NodeFacts } from "./node.ts";
import { nodeProgram } from "../transport/node_program.ts";

export interface ProbeOptions {
  /** The workspace as configured; its disk is looked at. */
  readonly root: string;
  /** Patience with the GPU tools, in whole seconds. */
  readonly gpuSeconds: number;
  /** Leave out cores, memory and disk. */
  readonly isBrief?: boolean;
}

let script: string | undefined;

/** The shell text for one probe: a constant script behind three variables. */
export function probeCommand({ root, gpuSeconds, isBrief = false }: ProbeOptions): string {
  // Sent with every probe, and read by the node's shell each time: comments stay at home.
  script ??= (nodeProgram("claims.sh", import.meta.url) + nodeProgram("probe.sh", import.meta.url))
    .replaceAll(/^\s*(#.*)?\n|^ +/gm, "");
  return `root=${quote(root)}; gpu_seconds=${gpuSeconds}; brief=${isBrief ? "yes" : ""}\n${script}`;
}

/** Of a node, in a row of a table. */
const LONGEST_WORDS = 200;

/** Undefined where the answer is not that of a whole probe. */
export function parseProbe(stdout: string): NodeFacts | undefined {
  const { df, lines } = withoutDf(stdout.split(/\r?\n/));
  if (!lines.includes("@grid-probe 1") || !lines.includes("@grid-probe end")) return undefined;
  const values = (name: string) =>
    lines.filter((line) => line.startsWith(`@${name} `)).map((line) => line.slice(name.length + 2));
  return {
    load1: numberOf(values("load")[0]),
    cores: usableCores(values),
    ...memoryOf(values),
    ...diskOf(df),
    workspaceProblem: values("workspace-problem")[0]?.slice(0, LONGEST_WORDS),
    ...gpuFacts(lines, values),
  };
}

/** df's own lines stand unmarked; nothing in them can be taken for a line of the probe. */
function withoutDf(
  lines: readonly string[],
): { readonly df: readonly string[]; readonly lines: readonly string[] } {
  const [start, end] = [lines.indexOf("@df-begin"), lines.lastIndexOf("@df-end")];
  if (start === -1 || end < start) return { df: [], lines };
  return {
    df: lines.slice(start + 1, end),
    lines: [...lines.slice(0, start), ...lines.slice(end + 1)],
  };
}

type Values = (name: string) => readonly string[];

function usableCores(values: Values): number | undefined {
  const counts = [
    ...values("cpus-allowed").map(countOfList),
    ...values("cpus-online").map(countOfList),
    ...values("cpu-max").map(coresOfQuota),
  ].filter((count) => count !== undefined && count > 0);
  return counts.length === 0 ? undefined : Math.min(...counts as number[]);
}

/** CPUs in a list such as `0-3,8`. */
function countOfList(list: string): number | undefined {
  let count = 0;
  for (const part of list.trim().split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!match) return undefined;
    count += Number(match[2] ?? match[1]) - Number(match[1]) + 1;
  }
  return count;
}

/** `200000 100000` is two cores; `max` and -1 mean no quota. */
function coresOfQuota(line: string): number | undefined {
  const [quota, period] = line.split(" ").map(Number);
  return quota && period && quota > 0 && period > 0 ? quota / period : undefined;
}

function memoryOf(values: Values): Pick<NodeFacts, "memoryTotalBytes" | "memoryAvailableBytes"> {
  const kib = (name: string) => times(numberOf(values(`${name}:`)[0]), 1024);
  // Kernels before 3.14 do not say what is available.
  let available = kib("MemAvailable") ?? sum([kib("MemFree"), kib("Buffers"), kib("Cached")]);
  let total = kib("MemTotal");
  for (const line of values("memory-group")) {
    const [limit, used] = line.split(" ").map(Number);
    // Version 1 writes "no limit" as a number of eighteen digits.
    if (!limit || used === undefined || Number.isNaN(used)) continue;
    if (total !== undefined && limit >= total) continue;
    total = limit;
    available = Math.max(0, Math.min(available ?? limit, limit - used));
  }
  return { memoryTotalBytes: total, memoryAvailableBytes: available };
}

/** The columns are found by their shape, because names of devices and folders may hold blanks. */
function diskOf(lines: readonly string[]): Pick<NodeFacts, "diskFreeBytes" | "diskUsedPercent"> {
  const match = /\s\d+\s+\d+\s+(-?\d+)\s+(\d+)%\s/.exec(lines.at(-1) ?? "");
  return {
    diskFreeBytes: match ? Math.max(0, Number(match[1]) * 1024) : undefined,
    diskUsedPercent: match ? Number(match[2]) : undefined,
  };
}

function gpuFacts(
  lines: readonly string[],
  values: Values,
): Pick<NodeFacts, "gpus" | "gpuTool" | "gpuProblem"> {
  const failed = (gpuProblem: string) => ({ gpus: [], gpuTool: "failed" as const, gpuProblem });
  const hung = values("gpu-hung")[0];
  if (hung !== undefined) {
    return failed(`the GPU tool of an earlier probe still hangs (process ${hung})`);
  }
  const [device, missing] = values("gpu-no-tool")[0]?.split(" ") ?? [];
  if (device !== undefined) return failed(`${device} is there, but not ${missing}`);
  const tool = values("gpu-tool")[0];
  if (tool !== "nvidia-smi" && tool !== "amd-smi" && tool !== "rocm-smi") {
    return { gpus: [], gpuTool: "none", gpuProblem: undefined };
  }
  if (lines.includes("@gpu-timeout")) return failed(`${tool} did not answer in time`);
  const [first, more] = answers(lines);
  if (first?.exit === TIMED_OUT) return failed(`${tool} did not answer in time`);
  const { gpus, problem } = readers[tool](first?.lines ?? [], more?.lines ?? []);
  if (gpus.length > 0) {
    return { gpus: withLeases(gpus, values("gpu-lease")), gpuTool: tool, gpuProblem: problem };
  }
  if (problem === undefined && (first?.exit === 0 || first?.exit === NO_DEVICES)) {
    return { gpus: [], gpuTool: "none", gpuProblem: undefined };
  }
  return failed(problem ?? `${tool} ended with code ${first?.exit ?? "unknown"}`);
}

function withLeases(gpus: readonly GpuFacts[], lines: readonly string[]): GpuFacts[] {
  return gpus.map((gpu) => {
    const leases = lines.map((line) => line.split(" ")).filter(([key]) => key === leaseKey(gpu))
      .map(([, group = "", holder]) => ({ group, holder: holder || "somebody" }));
    return leases.length === 0 ? gpu : { ...gpu, leases };
  });
}

/** Of `timeout`: https://www.gnu.org/software/coreutils/timeout */
const TIMED_OUT = 124;
/** Of `nvidia-smi`: https://docs.nvidia.com/deploy/nvidia-smi, return values. */
const NO_DEVICES = 6;

const readers = { "nvidia-smi": nvidiaGpus, "amd-smi": amdGpus, "rocm-smi": rocmGpus };

interface Answer {
  readonly lines: readonly string[];
  readonly exit: number | undefined;
}

/** The tool's own lines, per query; the last line of each is its exit code. */
function answers(lines: readonly string[]): Answer[] {
  const more = lines.indexOf("@gpu-more");
  const parts = more === -1 ? [lines] : [lines.slice(0, more), lines.slice(more)];
  return parts.map((part) => {
    const own = part.filter((line) => line.startsWith("@gpu ")).map((line) => line.slice(5));
    const exit = /^exit (\d+)$/.exec(own.at(-1) ?? "");
    return exit
      ? { lines: own.slice(0, -1), exit: Number(exit[1]) }
      : { lines: own, exit: undefined };
  });
}

function numberOf(text: string | undefined): number | undefined {
  const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? known.reduce((a, b) => a + b, 0) : undefined;
}
