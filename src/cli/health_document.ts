/** `grid health --json`: every key is there, and `null` stands for what is not known. */
import type { GpuFacts, NodeFacts, NodeHealth } from "../cluster/node.ts";

/** As text; `indent` 0 is all on one line. */
export function healthDocument(rows: readonly NodeHealth[], indent: number): string {
  return JSON.stringify({ nodes: rows.map(nodeDocument) }, nullForUnknown, indent) + "\n";
}

function nodeDocument(row: NodeHealth): Record<string, unknown> {
  const { facts, hint, reason, score, cpuPercent, gpuPercent } = row;
  return {
    node: row.node,
    at: row.at,
    fromCache: row.fromCache,
    status: row.status,
    reason,
    hint,
    score,
    cpuPercent,
    gpuPercent,
    placed: row.placed,
    isSilent: row.isSilent ?? false,
    drains: facts?.drains ?? [],
    sharesWith: row.sharesWith ?? [],
    remarks: row.remarks ?? [],
    gpuGroups: row.gpuGroups ?? [],
    missingGpus: row.missingGpus ?? [],
    looks: row.looks ?? [],
    parts: row.parts ?? [],
    facts: facts && factsDocument(facts),
  };
}

function factsDocument(facts: NodeFacts): Record<string, unknown> {
  const { drains: _, ...rest } = facts;
  return {
    ...rest,
    load1: facts.load1,
    cores: facts.cores,
    memoryTotalBytes: facts.memoryTotalBytes,
    memoryAvailableBytes: facts.memoryAvailableBytes,
    diskFreeBytes: facts.diskFreeBytes,
    diskUsedPercent: facts.diskUsedPercent,
    workspaceProblem: facts.workspaceProblem,
    claimsProblem: facts.claimsProblem,
    workspaceToken: facts.workspaceToken,
    gpuTool: facts.gpuTool,
    gpuProblem: facts.gpuProblem,
    gpus: facts.gpus.map(gpuDocument),
  };
}

function gpuDocument(gpu: GpuFacts): Record<string, unknown> {
  return {
    ...gpu,
    uuid: gpu.uuid,
    name: gpu.name,
    memoryUsedBytes: gpu.memoryUsedBytes,
    memoryTotalBytes: gpu.memoryTotalBytes,
    utilizationPercent: gpu.utilizationPercent,
    temperatureCelsius: gpu.temperatureCelsius,
    sick: gpu.sick,
    doubt: gpu.doubt,
    unified: gpu.unified ?? false,
    isPartition: gpu.isPartition ?? false,
    processes: gpu.processes ?? [],
    leases: gpu.leases ?? [],
  };
}

/** JSON leaves out what is undefined; a program that reads it wants to find the key. */
function nullForUnknown(_key: string, value: unknown): unknown {
  return value === undefined ? null : value;
}
