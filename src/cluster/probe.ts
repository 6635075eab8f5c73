/** One node's facts in one round trip: what is sent, and what its answer means. */
import { claimsProblem } from "./claims_fit.ts";
import { quote } from "../core/shell.ts";
import { type Claim, type NodeWork, parseWork } from "./claim.ts";
import { devicesOf } from "./gpu_answers.ts";
import { claimKey } from "./claim_key.ts";
import { drainsIn } from "./drain.ts";
import type { GpuClaim, GpuFacts, NodeFacts } from "./node.ts";
import { machineIn, tokenIn } from "./shared_home.ts";
import { nodeProgram } from "../transport/node_program.ts";

export interface ProbeOptions {
  /** The workspace as configured; its disk is looked at. */
  readonly root: string;
  /** Patience with the GPU tools, in whole seconds. */
  readonly gpuSeconds: number;
  /** Leave out cores, memory and disk; where there was no GPU a moment ago ("bare"), look for none. */
  readonly brief?: "brief" | "bare" | undefined;
}

const PROGRAMS = [
  "claims.sh",
  "claims_fit.sh",
  "claims_read.sh",
  "drain_notes.sh",
  "gpu_probe.sh",
  "probe.sh",
  "probe_answer.sh",
];
let functions: string | undefined;

/** Constant shell functions; each shell reads them once. */
export function probeLibrary(): string {
  // Comments stay at home.
  functions ??= PROGRAMS
    .map((name) => nodeProgram(name, import.meta.url)).join("")
    .replaceAll(/^\s*(#.*)?\n|^ +/gm, "");
  return functions;
}

/** What asks a shell that has the functions, which leaves the answer in `grid_answer`. */
export function probeCall({ root, gpuSeconds, brief }: ProbeOptions): string {
  return `grid_probe_answer ${quote(root)} ${gpuSeconds}${brief === undefined ? "" : ` ${brief}`}`;
}

/** Both, for a shell that is started for it; prints the answer. */
export function probeCommand(options: ProbeOptions): string {
  return `${probeLibrary()}${probeCall(options)}; printf '%s\\n' "$grid_answer"\n`;
}

/** Of a node, in a row of a table. */
const LONGEST_WORDS = 200;

/** Undefined where the answer is not that of a whole probe. */
export function parseProbe(stdout: string): NodeFacts | undefined {
  const { df, lines } = withoutDf(stdout.split(/\r?\n/));
  if (!lines.includes("@grid-probe 1") || !lines.includes("@grid-probe end")) return undefined;
  const told = valuesIn(lines);
  const values = (name: string) => told.get(name) ?? [];
  const memory = memoryOf(values);
  const devices = devicesOf(lines, memory);
  const work = parseWork(lines);
  return {
    load1: numberOf(values("load")[0]),
    cores: usableCores(values),
    ...memory,
    ...diskOf(df),
    workspaceProblem: failedDisk(df) ?? values("workspace-problem")[0]?.slice(0, LONGEST_WORDS),
    ...missingTools(values("lacks")),
    claimsProblem: claimsProblem(values("claims-unfit")[0]),
    ...placeOf(lines),
    ...devices,
    gpus: withClaims(devices.gpus, { work, lines: values("gpu-lease") }),
    work,
  };
}

/** What stands behind each "@<name> ". */
function valuesIn(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const line of lines) {
    const end = line.startsWith("@") ? line.indexOf(" ") : -1;
    if (end < 0) continue;
    const name = line.slice(1, end);
    const known = values.get(name);
    if (known === undefined) values.set(name, [line.slice(end + 1)]);
    else known.push(line.slice(end + 1));
  }
  return values;
}

function missingTools(names: readonly string[]): Pick<NodeFacts, "missingTools"> {
  const tools = names.filter((name) => /^[a-z]+$/.test(name));
  return tools.length === 0 ? {} : { missingTools: tools };
}

/** Who wants no new work there, which folder it is and which machine. */
function placeOf(
  lines: readonly string[],
): Pick<NodeFacts, "drains" | "workspaceToken" | "machine"> {
  const drains = drainsIn(lines);
  const workspaceToken = tokenIn(lines);
  const machine = machineIn(lines);
  return {
    ...(drains.length > 0 && { drains }),
    ...(workspaceToken && { workspaceToken }),
    ...(machine && { machine }),
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

/** Before what df says stand the mounts whose disks have failed, as the kernel writes them. */
function failedDisk(lines: readonly string[]): string | undefined {
  const folder = /\s\d+%\s+(\/.*)$/.exec(lines.at(-1) ?? "")?.[1];
  const failed = lines.slice(0, -1).map((line) => /^\S+ (\/\S*) \S+ \S+ \d+ \d+$/.exec(line)?.[1]);
  const isIn = failed.some((mount) => mount !== undefined && unescaped(mount) === folder);
  return isIn ? "its disk has failed and takes no more writes" : undefined;
}

/** The kernel writes a blank as \040. */
function unescaped(path: string): string {
  return path.replaceAll(
    /\\([0-7]{3})/g,
    (_, code) => String.fromCharCode(Number.parseInt(code, 8)),
  );
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

interface LeaseSources {
  readonly work: NodeWork | undefined;
  /** Leases of earlier versions. */
  readonly lines: readonly string[];
}

function withClaims(gpus: readonly GpuFacts[], { work, lines }: LeaseSources): GpuFacts[] {
  const older = lines.map((line) => line.split(" "));
  return gpus.map((gpu) => {
    const key = claimKey(gpu);
    const claims = [
      ...claimsOf(key, work),
      ...older.filter(([of]) => of === key)
        .map(([, group = "", holder]) => ({ group, holder: holder || "somebody", isOwn: false })),
    ];
    return claims.length === 0 ? gpu : { ...gpu, leases: claims };
  });
}

/** A job says more than the runner's hold that it came from; who only tries holds nothing yet. */
function claimsOf(key: string, work: NodeWork | undefined): GpuClaim[] {
  const claims = (work?.claims ?? []).filter(({ gpus, isTrying }) =>
    !isTrying && gpus.includes(key)
  );
  const jobs = claims.filter(({ kind }) => kind === "job");
  const isCovered = ({ kind, account, group }: Claim) =>
    kind === "hold" && jobs.some((job) => job.account === account && job.group === group);
  return claims.toSorted((a, b) => Number(a.kind === "hold") - Number(b.kind === "hold"))
    .map((claim) => ({ ...claim, isCovered: isCovered(claim) }))
    .map(({ group, account, isOwn, isShared, isCovered, run, step, ageMs, lastsMs }) => ({
      group,
      holder: account,
      isOwn,
      ...(isShared && { isShared: true as const }),
      ...(isCovered && { isCovered: true as const }),
      run,
      step,
      ageMs,
      ...(lastsMs !== undefined && { lastsMs }),
    }));
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
