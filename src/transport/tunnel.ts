/** A port on this machine that leads to an address as a node sees it. */
import { raceAbort } from "../core/deadline.ts";
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import { quoteAll } from "../core/shell.ts";
import { thrownWords } from "../core/refusal.ts";
import {
  type DialPlace,
  forwardingForbidden,
  nobodyListens,
  RefusedByPeer,
} from "./dial_problem.ts";
import { Greeting } from "./greeting.ts";
import { nodeProgram } from "./node_program.ts";
import type { Channel, Dialed, DialTarget, Transport } from "./transport.ts";

/** Bytes of a connection read at a time. */
const PIECE_BYTES = 64 * 1024;
/** What a program on the node says is told, but not at any length. */
const MOST_WORDS = 1000;
/** Seconds until a program there that says nothing is no longer waited for: it gives up after ten. */
const ANSWER_SECONDS = 30;
const NO_PROGRAM = 3;

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
          isTaken ? "something else does" : thrownWords(cause)
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

/**
 * A relay that breaks closes its connection; the request on it fails and says so. Not by the connection's own
 * streams: these close it whole where one direction ends.
 */
async function relayThrough(
  node: TunnelNode,
  target: DialTarget,
  { connection, signal }: Incoming,
): Promise<void> {
  const close = () => {
    try {
      connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  };
  try {
    await using dialed = await dialFrom(node, target, signal);
    const stop = () => {
      close();
      void dialed[Symbol.asyncDispose]();
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      // Each direction may end by itself; one that breaks ends the other.
      const up = sendUp(connection, dialed.writable);
      up.catch(() => dialed[Symbol.asyncDispose]());
      const down = bringDown(dialed.readable, connection);
      down.catch(close);
      // Who has got all that he wanted does not listen to the rest of the question; who has gone needs nothing.
      await Promise.all([up.catch(() => {}), down.catch(unlessGone)]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  } finally {
    close();
  }
}

async function sendUp(from: Deno.TcpConn, to: WritableStream<Uint8Array>): Promise<void> {
  const writer = to.getWriter();
  try {
    for (;;) {
      const buffer = new Uint8Array(PIECE_BYTES);
      const count = await from.read(buffer);
      if (count === null) break;
      await writer.write(buffer.subarray(0, count));
    }
    await writer.close();
  } catch (error) {
    await writer.abort().catch(() => {});
    throw error;
  } finally {
    writer.releaseLock();
  }
}

async function bringDown(from: ReadableStream<Uint8Array>, to: Deno.TcpConn): Promise<void> {
  for await (const bytes of from) {
    for (let at = 0; at < bytes.length;) {
      at += await to.write(bytes.subarray(at)).catch((cause) => {
        throw new ClientGone("the client has gone", { cause });
      });
    }
  }
  await to.closeWrite().catch(() => {}); // it has gone by now
}

/** Whoever connected to the port here left before all was there, as a browser does. */
class ClientGone extends Error {
  override readonly name = "ClientGone";
}

function unlessGone(error: unknown): void {
  if (!(error instanceof ClientGone)) throw error;
}

/**
 * A connection from the node to a port, by a program there where its server forbids forwarding.
 *
 * @throws {GridError} as `Transport.dial`; `channel` where forwarding is forbidden, and no program is there
 */
export async function dialFrom(
  { transport, root }: TunnelNode,
  target: DialTarget,
  signal: AbortSignal,
): Promise<Dialed> {
  try {
    return await transport.dial(target, { signal });
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const place = { node: transport.endpoint.name, ...target };
    const call = `grid_relay ${quoteAll([root, target.host, String(target.port)])}`;
    const greeting = new Greeting();
    const text = `${greeting.ending}${nodeProgram("relay.sh", import.meta.url)}\n${call}`;
    const channel = await transport.open(`exec sh -c ${quoteAll([text])}`, { signal });
    return await relayed(channel, { ...place, greeting }, signal);
  }
}

/** As far as one can know. */
function isForbidden(error: unknown): boolean {
  return error instanceof GridError &&
    (error.code === "channel" || error.cause instanceof RefusedByPeer);
}

async function relayed(
  channel: Channel,
  { greeting, ...place }: DialPlace & { readonly greeting: Greeting },
  signal: AbortSignal,
): Promise<Dialed> {
  let said = "";
  const answered = Promise.withResolvers<void>();
  const listening = (async () => {
    for await (const text of channel.stderr.pipeThrough(new TextDecoderStream())) {
      said = (said + text).slice(-MOST_WORDS);
      if (/^connected$/m.test(said)) answered.resolve();
    }
  })();
  /** Rejects where the program failed; its last line says why. */
  const whole = async () => {
    const [exit] = await Promise.all([channel.exit, listening]);
    const [why = "connection refused"] = said.trim().split("\n").slice(-1);
    if (exit.kind === "code" && exit.code === NO_PROGRAM) throw forwardingForbidden(place);
    if (exit.kind === "signal" || exit.code !== 0) throw nobodyListens(place, { state: why });
  };
  const ended = whole();
  ended.then(answered.resolve, answered.reject);
  // Told by whoever reads the connection, once it is made.
  ended.catch(() => {});
  try {
    const timeUp = AbortSignal.timeout(ANSWER_SECONDS * 1000);
    await raceAbort(answered.promise, AbortSignal.any([signal, timeUp]));
  } catch (error) {
    await channel[Symbol.asyncDispose]();
    throw error;
  }
  return {
    readable: channel.stdout.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          const rest = greeting.past(bytes);
          if (rest.length > 0) controller.enqueue(rest);
        },
        flush: () => ended,
      }),
    ),
    writable: channel.stdin,
    [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
  };
}
