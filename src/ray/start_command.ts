/** The words of `ray start`, as pure functions of what is known about a node. */
import { distinctName } from "../core/file_names.ts";
import type { RayConfig } from "../cluster/config.ts";

/** What `ray_preflight.py` prints. */
export interface NodePreflight {
  readonly ray: string;
  readonly python: string;
  /** Whether `ray[default]` is installed. */
  readonly dashboard: boolean;
  /** The address under which the other nodes reach this one. */
  readonly ip: string | null;
  /** Whether Ray Client is installed, which opens a port of its own on the head. */
  readonly client: boolean;
  /** Free ports: dashboard agent, its gRPC, runtime-env agent, metrics; Ray Client, two more for metrics. */
  readonly ports: readonly number[];
}

export interface StartPlan {
  readonly node: string;
  readonly role: "head" | "worker";
  readonly ip: string;
  /** The GCS, `host:port`. */
  readonly address: string;
  readonly preflight: NodePreflight;
  /** GPUs it gets; undefined lets Ray look. */
  readonly gpus: number | undefined;
  readonly config: RayConfig;
}

/** Oldest version without the known ways in for strangers (token auth came with it). */
const OLDEST_RAY = [2, 52] as const;

/** Arguments after `ray start`; the folder for temporary files is added on the node. */
export function startArguments(plan: StartPlan): readonly string[] {
  const [agentPort, agentGrpcPort, runtimeEnvPort, metricsPort] = plan.preflight.ports;
  return [
    ...(plan.role === "head" ? headArguments(plan) : ["--address", plan.address]),
    ...["--node-ip-address", plan.ip],
    ...["--labels", `grid-host=${labelOf(plan.node)}`],
    ...(plan.gpus === undefined ? [] : ["--num-gpus", String(plan.gpus)]),
    ...(plan.config.objectStoreMemory === undefined
      ? []
      : ["--object-store-memory", String(plan.config.objectStoreMemory)]),
    // The system picks free ports: several nodes may share a machine, also with somebody else's Ray.
    ...["--min-worker-port", "0", "--max-worker-port", "0"],
    ...["--dashboard-agent-listen-port", String(agentPort ?? 0)],
    ...["--dashboard-agent-grpc-port", String(agentGrpcPort ?? 0)],
    ...["--runtime-env-agent-port", String(runtimeEnvPort ?? 0)],
    ...["--metrics-export-port", String(metricsPort ?? 0)],
    "--disable-usage-stats",
  ];
}

function headArguments({ config, preflight }: StartPlan): readonly string[] {
  const [clientPort] = preflight.ports.slice(4);
  return [
    "--head",
    // Its default is one port for all of a machine's clusters.
    ...(preflight.client ? ["--ray-client-server-port", String(clientPort ?? 10001)] : []),
    ...["--port", String(config.gcsPort)],
    ...["--include-dashboard", String(preflight.dashboard)],
    ...["--dashboard-host", config.dashboardHost],
    ...["--dashboard-port", String(config.dashboardPort)],
  ];
}

/** A node's name as a Ray label: at most 63 letters, digits, `-`, `_`, `.`, with a letter or digit at both ends; different for different names. */
export function labelOf(name: string): string {
  const isLabel = /^[A-Za-z0-9](.*[A-Za-z0-9])?$/s.test(name);
  return distinctName(isLabel ? [name] : ["node", name], { length: 63 });
}

/** Why this node cannot join, in one sentence; undefined if it can. */
export function versionProblem(
  preflight: NodePreflight,
  head: NodePreflight,
): string | undefined {
  const [major = 0, minor = 0] = preflight.ray.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_RAY;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    return `Ray ${preflight.ray} is older than ${OLDEST_RAY.join(".")}, the first with token auth`;
  }
  if (preflight.ray !== head.ray) return `it has Ray ${preflight.ray}, the head ${head.ray}`;
  if (preflight.python !== head.python) {
    return `it has Python ${preflight.python}, the head ${head.python}`;
  }
  return undefined;
}

/** What helps against a version problem: `grid setup` brings Ray, but never another Python. */
export function versionHint(preflight: NodePreflight, head: NodePreflight): string {
  if (preflight.ray === head.ray && preflight.python !== head.python) {
    return `Install Python ${head.python} there as the python3 that comes first on PATH, ` +
      "remove grid_env, then run grid setup";
  }
  const [major = 0, minor = 0] = preflight.python.split(".").map(Number);
  if (major === 3 && minor < 10) {
    return "Newer versions of Ray need Python 3.10: install one there, remove grid_env, then run grid setup";
  }
  return "Set ray.version in the cluster configuration to one that all shall have, then run grid setup";
}
