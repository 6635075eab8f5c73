/** A TCP connection without Nagle's delay, set before the first byte: it makes the handshake six times faster. */
import { promises as dns } from "node:dns";
import net, { type Socket } from "node:net";
import { GridError } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import { thrownWords } from "../../core/refusal.ts";
import { Beyond } from "./beyond.ts";

export interface Target {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** Only addresses of this kind count. */
  readonly family?: 4 | 6 | undefined;
}

/** A head start for each address before the next one is tried too (RFC 8305, section 5). */
const HEAD_START_MS = 250;

/**
 * Tries all addresses of the host, each a little later than the one before, or as soon as that one has
 * failed; the first that answers is taken (RFC 8305).
 *
 * @throws {GridError} `dns` or `tcp`
 */
export async function connectTcp(target: Target, signal: AbortSignal): Promise<Socket> {
  if (target.host.includes("%")) throw oneInterface(target);
  const addresses = await lookup(target);
  signal.throwIfAborted();
  const attempts = new Attempts(addresses, { port: target.port, signal });
  try {
    return await attempts.winner;
  } catch (error) {
    signal.throwIfAborted();
    const { node, host, port } = target;
    const all = addresses.length > 1 ? ` (${addresses.join(", ")})` : "";
    throw new GridError({
      code: "tcp",
      message: `Cannot connect to "${node}" (${host} port ${port}): ${tcpState(error)}${all}`,
      hint: `is the machine on, and is ${port} the port of its sshd? ssh -v -p ${port} ${host}`,
      node,
      cause: error,
    });
  }
}

/** Connections to all addresses that are under way, of which one is kept. */
class Attempts {
  readonly winner: Promise<Socket>;
  readonly #waiting: string[];
  readonly #sockets = new Set<Socket>();
  readonly #port: number;
  readonly #result = Promise.withResolvers<Socket>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    addresses: readonly string[],
    { port, signal }: { readonly port: number; readonly signal: AbortSignal },
  ) {
    this.#waiting = [...addresses];
    this.#port = port;
    const onAbort = () => this.#result.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.winner = this.#result.promise.finally(() => {
      signal.removeEventListener("abort", onAbort);
      clearTimeout(this.#timer);
      this.#waiting.length = 0;
      for (const socket of this.#sockets) socket.destroy();
    });
    this.#next();
  }

  #next(): void {
    clearTimeout(this.#timer);
    const host = this.#waiting.shift();
    if (host === undefined) return;
    const socket = net.connect({ host, port: this.#port, noDelay: true });
    this.#sockets.add(socket);
    const onError = (error: Error) => {
      this.#sockets.delete(socket);
      socket.destroy();
      if (this.#waiting.length === 0 && this.#sockets.size === 0) this.#result.reject(error);
      this.#next();
    };
    socket.once("error", onError).once("connect", () => {
      socket.off("error", onError);
      this.#sockets.delete(socket);
      this.#result.resolve(socket);
    });
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#next(), HEAD_START_MS);
  }
}

async function lookup({ node, host, family }: Target): Promise<string[]> {
  const problem = (state: string, hint: string, cause?: unknown) =>
    new GridError({
      code: "dns",
      message: `Cannot connect to "${node}": ${state}`,
      hint,
      node,
      cause,
    });
  if (net.isIP(host)) return [host];
  try {
    const found = await dns.lookup(host, { all: true, verbatim: true });
    const usable = found.filter((one) => family === undefined || one.family === family);
    if (usable.length > 0) return inTurns(usable);
  } catch (error) {
    throw problem(
      `the name ${host} is not known`,
      `give the node a host in cluster_config.yaml, or a HostName in ~/.ssh/config`,
      error,
    );
  }
  throw problem(
    `${host} has no IPv${family} address`,
    "AddressFamily in the configuration of ssh allows no other",
  );
}

/** `fe80::1%eth0`: node's sockets lose the interface on the way in Deno 2.9. */
function oneInterface({ node, host, port }: Target): GridError {
  return new GridError({
    code: "tcp",
    message: `Cannot connect to "${node}" (${host} port ${port}): only ssh itself can use an ` +
      "address that counts on one interface",
    hint: "set transport: openssh for this node in cluster_config.yaml",
    node,
    cause: new Beyond("an address that counts on one interface"),
  });
}

/** IPv6 and IPv4 by turns, each in the resolver's order (RFC 8305, section 4). */
function inTurns(found: readonly { readonly address: string; readonly family: number }[]) {
  const kinds = [
    found.filter(({ family }) => family === found[0]?.family),
    found.filter(({ family }) => family !== found[0]?.family),
  ];
  const turns = found.flatMap((_, index) => kinds.map((kind) => kind[index]?.address));
  return [...new Set(turns.filter((address) => address !== undefined))];
}

const TCP_STATES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (connection refused)",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no route to its network",
  ETIMEDOUT: "it does not answer",
};

function tcpState(error: unknown): string {
  const code = (error as { code?: string } | undefined)?.code ?? "";
  return own(TCP_STATES, code) ?? thrownWords(error);
}
