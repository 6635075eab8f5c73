/** `grid health --json`: every key is there, and `null` stands for what is not known. */
import type { GpuFacts, NodeFacts, NodeHealth } from "../cluster/node.ts";

export function healthDocument(rows: readonly NodeHealth[]): Record<string, unknown> {
  return { nodes: rows.map(nodeDocument) };
}

function nodeDocument(row: NodeHealth): Record<string, unknown> {
  const { facts, hint, reason, score, cpuPercent, gpuPercent } = row;
  return known({
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
  });
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
function known(document: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [key, withNulls(value)]),
  );
}

function withNulls(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return value;
  return Array.isArray(value) ? value.map(withNulls) : known({ ...value });
}
