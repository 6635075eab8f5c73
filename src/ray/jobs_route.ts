/** How requests reach the dashboard of an existing cluster: straight, or through a node. */
import { withDeadline } from "../core/deadline.ts";
import { GridError } from "../core/errors.ts";
import type { OpenNode } from "../cluster/node.ts";
import { openTunnel } from "../transport/tunnel.ts";

const CONNECT_TIMEOUT_MS = 3000;

export interface Route extends AsyncDisposable {
  /** As configured; for messages. */
  readonly address: string;
  /** Where requests go, without a slash at the end. */
  readonly base: string;
}

/**
 * Dashboards listen on loopback as a rule, so what cannot be reached from here is looked for from
 * the node.
 *
 * @throws {GridError} `cluster-invalid` without an address, `lost` where neither way leads there
 */
export async function findRoute(
  address: string | undefined,
  node: OpenNode,
  signal: AbortSignal,
): Promise<Route> {
  if (address === undefined) {
    throw new GridError({
      code: "cluster-invalid",
      message: "Cannot use an existing Ray cluster: ray.address is not set",
      hint: "Set it to the dashboard's address, for example http://10.0.0.1:8265",
    });
  }
  const url = new URL(address);
  const base = address.replace(/\/+$/, "");
  const target = { host: url.hostname, port: portOf(url) };
  if (await isReachable(target, signal)) {
    return { address, base, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  if (node.node.endpoint.transport === "local" || url.protocol !== "http:") {
    throw new GridError({
      code: "lost",
      message: `Cannot reach Ray: nobody listens on ${address}`,
      hint: "Is the cluster up, with its dashboard? ray.address names it",
    });
  }
  const tunnel = openTunnel(node, target);
  return {
    address: `${address} (through ${node.node.name})`,
    base: `http://127.0.0.1:${tunnel.port}`,
    [Symbol.asyncDispose]: () => tunnel[Symbol.asyncDispose](),
  };
}

/** The cluster's token as Ray itself looks for it on this machine. */
export function readToken(): string | undefined {
  const { env } = Deno;
  const token = env.get("RAY_AUTH_TOKEN");
  if (token) return token.trim();
  const file = env.get("RAY_AUTH_TOKEN_PATH") ?? `${env.get("HOME") ?? ""}/.ray/auth_token`;
  try {
    return Deno.readTextFileSync(file).trim() || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

async function isReachable(
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<boolean> {
  const connect = async (signal: AbortSignal) => {
    using _connection = await Deno.connect({
      hostname: target.host,
      port: target.port,
      signal,
    } as Deno.ConnectOptions);
    return true;
  };
  try {
    return await withDeadline(connect, {
      ms: CONNECT_TIMEOUT_MS,
      signal,
      error: () => new GridError({ code: "tcp", message: "no answer" }),
    });
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
