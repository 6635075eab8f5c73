/** A port on this machine that leads to an address as a node sees it. */
import { GridError } from "../core/errors.ts";
import { quoteAll } from "../core/shell.ts";
import type { OpenNode } from "../cluster/node.ts";

/** Copies between stdin/stdout and a TCP connection; Python is there wherever Ray is. */
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

/** @throws {GridError} `conflict` where the wanted port is taken here; default is any free one */
export function openTunnel(
  node: OpenNode,
  target: { readonly host: string; readonly port: number },
  wantedPort = 0,
): Tunnel {
  const listener = listenOn(wantedPort);
  const python = `PATH=${quoteAll([`${node.root}/grid_env/bin`])}:$PATH; exec python3 -c`;
  const command = `${python} ${quoteAll([RELAY, target.host, String(target.port)])}`;
  const connections = new Set<Deno.Conn>();
  const relays = new Set<Promise<void>>();
  const accept = async () => {
    for await (const connection of listener) {
      connections.add(connection);
      const relay = relayThrough(node, command, connection).finally(() => {
        connections.delete(connection);
        relays.delete(relay);
      });
      relays.add(relay);
    }
  };
  const accepting = accept();
  return {
    port: listener.addr.port,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const connection of connections) closeQuietly(connection);
      await accepting;
      await Promise.all(relays);
    },
  };
}

function listenOn(port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (cause) {
    throw new GridError({
      code: "conflict",
      message: `Cannot listen on port ${port} of this machine: ${
        cause instanceof Error ? cause.message : cause
      }`,
      hint: "--port takes another one",
      cause,
    });
  }
}

/** A relay that breaks closes its connection; the request on it fails and says so. */
async function relayThrough(
  node: OpenNode,
  command: string,
  connection: Deno.Conn,
): Promise<void> {
  try {
    await using channel = await node.transport.open(`sh -c ${quoteAll([command])}`);
    const up = connection.readable.pipeTo(channel.stdin).catch(() => undefined);
    const noise = new Response(channel.stderr).text().catch(() => "");
    await channel.stdout.pipeTo(connection.writable).catch(() => undefined);
    await Promise.all([up, noise]);
  } catch {
    closeQuietly(connection);
  }
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed by the other side already.
  }
}
