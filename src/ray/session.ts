/** What a node's record tells about the part of Ray that Grid started on it. */
import { GridError } from "../core/errors.ts";
import type { OpenNode } from "../cluster/node.ts";
import { rayNodeScript, runScript } from "./node_script.ts";

export interface RaySession {
  /** Random name of the cluster that the node belongs to. */
  readonly cluster: string;
  readonly role: "head" | "worker";
  /** The GCS, `host:port`. */
  readonly address: string;
  readonly ip: string;
  /** The dashboard's `host:port`; undefined without one. */
  readonly dashboard: string | undefined;
  /** Living processes, down to the last agent. */
  readonly processes: number;
  /** Whether what the node is there for lives: its raylet, and on the head the GCS. */
  readonly lives: boolean;
  /** Of the machine; undefined where it does not say. */
  readonly memory: { readonly usedBytes: number; readonly totalBytes: number } | undefined;
}

const READ_TIMEOUT_MS = 20_000;

/** Undefined where Grid has started nothing. */
export async function readSession(
  node: OpenNode,
  signal: AbortSignal,
): Promise<RaySession | undefined> {
  const { code, stdout, stderr } = await runScript(
    node,
    rayNodeScript(node, ["ray_status"]),
    {
      purpose: "read the state of Ray",
      timeoutMs: READ_TIMEOUT_MS,
      signal,
    },
  );
  if (code !== 0) {
    throw new GridError({
      code: "ray",
      message: `Cannot read the state of Ray on ${node.node.name}: ${stderr.trim()}`,
      node: node.node.name,
    });
  }
  return parseSession(stdout);
}

export function parseSession(text: string): RaySession | undefined {
  const pairs = text.split("\n").map((line) => line.split(/=(.*)/s) as [string, string?]);
  const fields = new Map(pairs.map(([name, value]) => [name, value ?? ""]));
  const cluster = fields.get("cluster");
  if (!cluster) return undefined;
  const role = fields.get("role") === "head" ? "head" : "worker";
  const isThere = (part: string) => Number(fields.get(part) ?? 0) > 0;
  return {
    cluster,
    role,
    address: fields.get("address") ?? "",
    ip: fields.get("ip") ?? "",
    dashboard: fields.get("dashboard") || undefined,
    processes: Number(fields.get("alive") ?? 0),
    lives: isThere("raylets") && (role === "worker" || isThere("gcs")),
    memory: memoryOf(fields),
  };
}

/** As `/proc/meminfo` has it: `16289524 kB`. */
function memoryOf(fields: ReadonlyMap<string, string>): RaySession["memory"] {
  const [totalBytes = NaN, free = NaN] = ["memory", "free"].map((name) =>
    Number(/^(\d+) kB$/.exec(fields.get(name) ?? "")?.[1] ?? NaN) * 1024
  );
  return Number.isNaN(totalBytes - free) ? undefined : { totalBytes, usedBytes: totalBytes - free };
}

/** Absolute path of the cluster's token; only the account may read it. */
export function tokenPath(node: OpenNode): string {
  return `${node.root}/.grid/ray/token`;
}

/** Environment of everything that speaks to the cluster from one of its nodes. */
export function rayClientEnv(node: OpenNode): Readonly<Record<string, string>> {
  return {
    RAY_AUTH_MODE: "token",
    RAY_AUTH_TOKEN_PATH: tokenPath(node),
    RAY_USAGE_STATS_ENABLED: "0",
  };
}
