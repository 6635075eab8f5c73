/** Turns the checked file into the configuration, with every default in one place. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Endpoint } from "../transport/transport.ts";
import type { ClusterConfig, HealthConfig, RayConfig, SyncConfig } from "./config.ts";
import { environmentOf } from "./environment.ts";
import type { Node, NodeEnvironment } from "./node.ts";
import type { RawCluster, RawNode } from "./schema.ts";

/** This machine, with the project folder as its workspace; always there, never configured. */
export const LOCAL_NODE = "local";

export const DEFAULT_ROOT = "~/grid_workspace";
const SSH = { timeout: 10, connectTimeout: 5, maxRetries: 3, poolSize: 10, keepalive: 15 } as const;

interface ConfigContext {
  readonly file: string | undefined;
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
}

export function configOf(raw: RawCluster, context: ConfigContext): ClusterConfig {
  const local = environmentOf(raw.local);
  return {
    ...(local && { local }),
    file: context.file,
    nodes: raw.nodes.map((node) =>
      nodeOf(typeof node === "string" ? { name: node } : node, { raw, ...context })
    ),
    ssh: { poolSize: raw.ssh?.pool_size ?? SSH.poolSize },
    health: healthOf(raw.health_check),
    jobs: { leaseMs: 1000 * (raw.jobs?.lease ?? 300) },
    sync: syncOf(raw.sync),
    ray: rayOf(raw.ray),
  };
}

/** The node `local`: `Cluster.open("local")` works in every cluster. */
export function localNode(project: string, environment?: NodeEnvironment): Node {
  return {
    name: LOCAL_NODE,
    endpoint: endpointOf({ name: LOCAL_NODE, transport: "local" }, { project, env: {} }),
    labels: [],
    gpus: undefined,
    remoteRoot: project,
    ...(environment && { environment }),
  };
}

function nodeOf(node: RawNode, context: ConfigContext & { readonly raw: RawCluster }): Node {
  const { raw, project } = context;
  const root = node.remote_root ?? raw.remote_root ?? DEFAULT_ROOT;
  const isRelative = !isAbsolute(root) && root !== "~" && !root.startsWith("~/");
  const environment = environmentOf(node, raw.defaults);
  return {
    name: node.name,
    endpoint: endpointOf(node, { ...context, ssh: raw.ssh }),
    labels: (node.labels ?? []).map(String),
    gpus: node.gpus ?? undefined,
    ...(node.address && { address: node.address }),
    remoteRoot: isRelative ? join(project, root) : root,
    ...(environment && { environment }),
  };
}

interface EndpointContext {
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
  readonly ssh?: RawCluster["ssh"];
}

function endpointOf(node: RawNode, { ssh, project, env }: EndpointContext): Endpoint {
  const here = (path: string | null | undefined) =>
    path ? absolutePath(path, { project, home: env["HOME"] || homedir() }) : undefined;
  return {
    name: node.name,
    transport: node.transport ?? "ssh",
    host: node.host ?? undefined,
    port: node.port ?? undefined,
    user: node.user ?? undefined,
    keyFile: here(node.key_file ?? ssh?.key_file),
    knownHosts: here(node.known_hosts ?? ssh?.known_hosts),
    proxyJump: node.proxy_jump ?? ssh?.proxy_jump ?? undefined,
    connectTimeoutMs: 1000 * (ssh?.connect_timeout ?? SSH.connectTimeout),
    commandTimeoutMs: 1000 * (ssh?.timeout ?? SSH.timeout),
    keepaliveMs: 1000 * (ssh?.keepalive ?? SSH.keepalive),
    maxRetries: ssh?.max_retries ?? SSH.maxRetries,
  };
}

function absolutePath(path: string, from: { readonly project: string; readonly home: string }) {
  if (path === "~" || path.startsWith("~/")) return join(from.home, path.slice(1));
  return isAbsolute(path) ? path : join(from.project, path);
}

function healthOf(raw: RawCluster["health_check"]): HealthConfig {
  return {
    timeoutMs: 1000 * (raw?.timeout ?? 3),
    maxWorkers: raw?.max_workers ?? 20,
    cpuWeight: raw?.cpu_weight ?? 1,
    gpuWeight: raw?.gpu_weight ?? 3,
    refreshIntervalMs: 1000 * (raw?.refresh_interval ?? 60),
  };
}

function syncOf(raw: RawCluster["sync"]): SyncConfig {
  return {
    excludePatterns: raw?.exclude_patterns ??
      [".git", "__pycache__", ".env", "*.pyc", "node_modules", ".next"],
    useChecksums: raw?.use_checksums ?? true,
    followSymlinks: raw?.follow_symlinks ?? false,
    maxParallelTransfers: raw?.max_parallel_transfers ?? 5,
  };
}

function rayOf(raw: RawCluster["ray"]): RayConfig {
  return {
    mode: raw?.mode ?? (raw?.address ? "existing" : "managed"),
    isAsked: (raw?.mode ?? undefined) !== undefined,
    address: raw?.address ?? undefined,
    head: raw?.head ?? undefined,
    version: raw?.version ?? undefined,
    // Whoever reaches Ray's dashboard can run code: https://docs.ray.io/en/latest/ray-security
    dashboardHost: raw?.dashboard_host ?? "127.0.0.1",
    dashboardPort: raw?.dashboard_port ?? 8265,
    gcsPort: raw?.redis_port ?? 6379,
    headBindAll: raw?.head_bind_all ?? true,
    namespace: raw?.namespace ?? "default",
    logLevel: raw?.log_level ?? "info",
    objectStoreMemory: raw?.object_store_memory ?? undefined,
    gpus: raw?.gpus ?? undefined,
    tempDir: raw?.temp_dir ?? undefined,
    spillDir: raw?.spill_dir ?? undefined,
  };
}
