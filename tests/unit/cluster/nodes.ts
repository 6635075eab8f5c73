/** Nodes, facts and caches as the cluster's tests need them. */
import type { CachedRow, HealthCache } from "../../../src/cluster/cluster.ts";
import type { GpuFacts, Node, NodeFacts, NodeHealth } from "../../../src/cluster/node.ts";
import type { NodeSelector } from "../../../src/cluster/node_selector.ts";
import type { Endpoint } from "../../../src/transport/transport.ts";

export const GIB = 2 ** 30;

export function endpoint(name: string, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    name,
    transport: "ssh",
    host: undefined,
    port: undefined,
    user: undefined,
    keyFile: undefined,
    knownHosts: undefined,
    proxyJump: undefined,
    connectTimeoutMs: 5000,
    commandTimeoutMs: 10_000,
    keepaliveMs: 15_000,
    maxRetries: 3,
    ...changes,
  };
}

export function node(name: string, changes: Partial<Node> = {}): Node {
  return {
    name,
    endpoint: endpoint(name),
    labels: [],
    gpus: undefined,
    remoteRoot: "~/grid_workspace",
    ...changes,
  };
}

/** A healthy GPU of 24 GiB, unless said otherwise. */
export function gpu(index: number, changes: Partial<GpuFacts> = {}): GpuFacts {
  return {
    index,
    maker: "nvidia",
    uuid: `GPU-${index}`,
    name: "A100",
    memoryUsedBytes: 0,
    memoryTotalBytes: 24 * GIB,
    utilizationPercent: 0,
    temperatureCelsius: 40,
    sick: undefined,
    ...changes,
  };
}

/** An idle machine of four cores without a GPU. */
export function facts(changes: Partial<NodeFacts> = {}): NodeFacts {
  const gpus = changes.gpus ?? [];
  return {
    load1: 0,
    cores: 4,
    memoryTotalBytes: 16 * GIB,
    memoryAvailableBytes: 8 * GIB,
    diskFreeBytes: 100 * GIB,
    diskUsedPercent: 10,
    gpus,
    gpuTool: gpus.length > 0 ? "nvidia-smi" : "none",
    gpuProblem: undefined,
    ...changes,
  };
}

export function health(name: string, changes: Partial<NodeHealth> = {}): NodeHealth {
  return {
    node: name,
    at: 0,
    fromCache: false,
    status: "ok",
    reason: undefined,
    hint: undefined,
    score: 0,
    cpuPercent: 0,
    gpuPercent: 0,
    placed: 0,
    facts: facts(),
    ...changes,
  };
}

export function selector(changes: Partial<NodeSelector> = {}): NodeSelector {
  return { gpus: 0, minFreeVramBytes: undefined, labels: [], among: [], waitMs: 0, ...changes };
}

/** What the store keeps, in memory. */
export class MemoryCache implements HealthCache {
  readonly rows = new Map<string, CachedRow>();

  load(keys: readonly string[]): ReadonlyMap<string, CachedRow> {
    const found = keys.flatMap((key) => {
      const row = this.rows.get(key);
      return row ? [[key, row] as const] : [];
    });
    return new Map(found);
  }

  save(rows: ReadonlyMap<string, CachedRow>): void {
    for (const [key, row] of rows) this.rows.set(key, row);
  }
}
