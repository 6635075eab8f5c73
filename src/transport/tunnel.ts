/** A port on this machine that leads to an address as a node sees it. */
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import { quoteAll } from "../core/shell.ts";
import type { Dialed, DialTarget, Transport } from "./transport.ts";

/** Copies between stdin/stdout and a TCP connection, where a server forbids forwarding. */
const RELAY = `
import os, socket, sys, threading
link = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
link.settimeout(None)
def send():
    while True:
        data = os.read(0, 65536)
        if not data:
            break
        link.sendall(data)
    link.shutdown(socket.SHUT_WR)
threading.Thread(target=send, daemon=True).start()
while True:
    data = link.recv(65536)
    if not data:
        break
    while data:
        data = data[os.write(1, data):]
os._exit(0)
`;

export interface Tunnel extends AsyncDisposable {
  /** On loopback. */
  readonly port: number;
}

export interface TunnelOptions {
  /** Default: any free one. */
  readonly port?: number | undefined;
  /** Where that port is taken, one of the next is. */
  readonly orNext?: boolean;
  /** A connection through it could not be made, or broke. */
  readonly onProblem?: (error: unknown) => void;
}

/** What a tunnel leads through. */
export interface TunnelNode {
  readonly transport: Transport;
  /** Absolute `remote_root`. */
  readonly root: string;
}

/** Ports that are tried behind one that is taken. */
const MOST_NEXT = 100;

/**
 * Every connection to the port is a connection of its own from the node, made when it comes: a link that
 * was lost is made anew by the next one.
 *
 * @throws {GridError} `conflict` where the wanted port is taken here
 */
export function openTunnel(
  node: TunnelNode,
  target: DialTarget,
  options: TunnelOptions = {},
): Tunnel {
  const listener = listenOn(options);
  const closing = new AbortController();
  const relays = new Set<Promise<void>>();
  const accept = async () => {
    for await (const connection of listener) {
      const relay = relayThrough(node, target, { connection, signal: closing.signal })
        .catch((error) => {
          if (!closing.signal.aborted) tell(error, options);
        })
        .finally(() => relays.delete(relay));
      relays.add(relay);
    }
  };
  const accepting = accept();
  return {
    port: listener.addr.port,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      closing.abort();
      await accepting;
      await Promise.all(relays);
    },
  };
}

function tell(error: unknown, { onProblem }: TunnelOptions): void {
  if (onProblem) onProblem(error);
  else getLogger("transport").debug(`${error}`);
}

function listenOn({ port = 0, orNext = false }: TunnelOptions): Deno.TcpListener {
  for (let at = port;; at++) {
    try {
      return Deno.listen({ hostname: "127.0.0.1", port: at });
    } catch (cause) {
      const isTaken = cause instanceof Deno.errors.AddrInUse;
      if (isTaken && orNext && at < Math.min(port + MOST_NEXT, 65_535)) continue;
      throw new GridError({
        code: "conflict",
        message: `Cannot listen on port ${port} of this machine: ${
          isTaken ? "something else does" : cause instanceof Error ? cause.message : cause
        }`,
        hint: port < 1024 ? "take one above 1023: --local-port" : "--local-port takes another one",
        cause,
      });
    }
  }
}

interface Incoming {
  readonly connection: Deno.TcpConn;
  readonly signal: AbortSignal;
}

/** A relay that breaks closes its connection; the request on it fails and says so. */
async function relayThrough(
  node: TunnelNode,
  target: DialTarget,
  { connection, signal }: Incoming,
): Promise<void> {
  const { readable, writable } = connection;
  const close = () => Promise.allSettled([readable.cancel(), writable.abort()]);
  try {
    await using dialed = await dial(node, target, signal);
    const stop = () => void Promise.allSettled([dialed[Symbol.asyncDispose](), close()]);
    signal.addEventListener("abort", stop, { once: true });
    try {
      // Each direction may end by itself; one that breaks ends the other.
      const up = readable.pipeTo(dialed.writable, { signal });
      const down = dialed.readable.pipeTo(writable, { signal });
      up.catch(() => dialed[Symbol.asyncDispose]());
      await Promise.all([up.catch(ignoreGone), down]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  } finally {
    await close();
  }
}

/** Who has got all that he wanted does not listen to the rest of the question. */
function ignoreGone(): void {}

/** By a program on the node where its server forbids what it takes otherwise. */
async function dial(
  { transport, root }: TunnelNode,
  target: DialTarget,
  signal: AbortSignal,
): Promise<Dialed> {
  try {
    return await transport.dial(target, { signal });
  } catch (error) {
    if (!(error instanceof GridError) || error.code !== "channel") throw error;
    const python = `PATH=${quoteAll([`${root}/grid_env/bin`])}:$PATH; exec python3 -c`;
    const command = `${python} ${quoteAll([RELAY, target.host, String(target.port)])}`;
    const channel = await transport.open(`sh -c ${quoteAll([command])}`, { signal });
    channel.stderr.pipeTo(new WritableStream()).catch(() => {});
    return {
      readable: channel.stdout,
      writable: channel.stdin,
      [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
    };
  }
}
