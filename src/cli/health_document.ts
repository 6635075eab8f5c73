/** `grid health --json`: every key is there, and `null` stands for what is not known. */
import type { GpuFacts, NodeFacts, NodeHealth } from "../cluster/node.ts";

/** As text; `indent` 0 is all on one line. */
export function healthDocument(rows: readonly NodeHealth[], indent: number): string {
  const nodes = rows.map((row) => ({
    ...withNulls(nodeDocument(row)) as object,
    // Names only, and of a thousand nodes with one home a million.
    sharesWith: row.sharesWith ?? [],
  }));
  return JSON.stringify({ nodes }, undefined, indent) + "\n";
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
    remarks: row.remarks ?? [],
    gpuGroups: row.gpuGroups ?? [],
    missingGpus: row.missingGpus ?? [],
    keptGpus: row.keptGpus ?? [],
    looks: row.looks ?? [],
    sameAs: row.sameAs,
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

/**
 * JSON leaves out what is undefined; a program that reads it wants to find the key. Not by a function that
 * JSON calls for each key, which is slower than all else together; and only what changes is copied.
 */
function withNulls(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value) && value.length === 0) return value;
  let copy: Record<string, unknown> | undefined;
  const object = value as Record<string, unknown>;
  for (const key in object) {
    const known = withNulls(object[key]);
    if (known === object[key]) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = known;
  }
  return copy ?? value;
}
