/** A TCP proxy that misbehaves on demand: the network between Grid and a node. */
import net, { type Socket } from "node:net";

export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Connections that were accepted since the start. */
  readonly accepted: number;
  /** What happens from now on, to open connections too. */
  set(fault: Fault): void;
}

export type Fault =
  | { readonly kind: "none" }
  /** Each direction waits this long: half a round trip. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Nothing passes, nothing is read: the senders' windows fill. */
  | { readonly kind: "stall" }
  /** Bytes are read and thrown away, as where a route has gone. */
  | { readonly kind: "swallow" }
  /** The connection is reset once this many more bytes have come from the node. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** Bytes per second in each direction. */
  | { readonly kind: "slow"; readonly bytesPerSecond: number }
  /** Accepts connections and says nothing. */
  | { readonly kind: "silent" };

export interface FaultProxyOptions {
  readonly host: string;
  readonly port: number;
}

export async function startFaultProxy(target: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new Proxy(target);
  await proxy.listen();
  return proxy;
}

class Proxy implements FaultProxy {
  readonly host = "127.0.0.1";
  readonly #target: FaultProxyOptions;
  readonly #server: net.Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #fault: Fault = { kind: "none" };
  #bytesUntilReset = Infinity;
  #accepted = 0;

  constructor(target: FaultProxyOptions) {
    this.#target = target;
    this.#server = net.createServer((client) => this.#serve(client));
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get accepted(): number {
    return this.#accepted;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, this.host, resolve));
  }

  set(fault: Fault): void {
    this.#fault = fault;
    this.#bytesUntilReset = fault.kind === "reset" ? fault.afterBytes : Infinity;
    for (const socket of this.#sockets) {
      if (fault.kind === "stall") socket.pause();
      else socket.resume();
    }
    if (this.#bytesUntilReset <= 0) this.#resetAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    this.#accepted++;
    this.#adopt(client);
    if (this.#fault.kind === "silent") return;
    const node = net.connect({ ...this.#target, noDelay: true });
    this.#adopt(node);
    this.#pipe(client, node, "up");
    this.#pipe(node, client, "down");
  }

  #adopt(socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    if (this.#fault.kind === "stall") socket.pause();
  }

  #pipe(from: Socket, to: Socket, direction: "up" | "down"): void {
    /** When the link is free again; keeps bytes in order. */
    let free = 0;
    from.on("data", (bytes) => {
      const fault = this.#fault;
      if (fault.kind === "swallow" || fault.kind === "silent") return;
      if (direction === "down") {
        this.#bytesUntilReset -= bytes.length;
        if (this.#bytesUntilReset <= 0) return this.#resetAll();
      }
      const now = performance.now();
      const spent = fault.kind === "slow" ? bytes.length / fault.bytesPerSecond * 1000 : 0;
      const wait = fault.kind === "delay" ? fault.ms : 0;
      free = Math.max(free, now) + spent;
      const due = free + wait - now;
      if (due <= 0) return this.#write(from, to, bytes);
      if (fault.kind === "slow") from.pause();
      this.#later(due, () => {
        if (fault.kind === "slow") from.resume();
        this.#write(from, to, bytes);
      });
    });
    // An end that is swallowed is a half-open connection.
    from.on("end", () => this.#passOn(() => to.end()));
    from.on("close", () => this.#passOn(() => to.destroy()));
  }

  #passOn(ending: () => void): void {
    if (this.#fault.kind === "swallow" || this.#fault.kind === "stall") return;
    if (this.#fault.kind === "delay") this.#later(this.#fault.ms + 1, ending);
    else ending();
  }

  #write(from: Socket, to: Socket, bytes: Uint8Array): void {
    if (to.destroyed || to.write(bytes)) return;
    from.pause();
    to.once("drain", () => this.#fault.kind !== "stall" && from.resume());
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  /** RST instead of FIN, as when a machine has forgotten the connection. */
  #resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}
