/** One transport per endpoint; `ssh2` is loaded only when a node behind sshd is used. */
import { lazy } from "../core/lazy.ts";
import { createLocalTransport } from "./local.ts";
import type { Connector } from "./ssh/connector.ts";
import { SshTransport } from "./ssh/transport.ts";
import type { Endpoint, Transport, TransportPool, TransportStats } from "./transport.ts";

export interface PoolOptions {
  /** Handshakes under way at once, over all nodes. */
  readonly handshakes: number;
  /** Default: this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Instead of the user's and the system's ssh configuration. */
  readonly sshConfig?: string | undefined;
}

export function createPool(options: PoolOptions): TransportPool {
  return new Pool(options);
}

class Pool implements TransportPool {
  readonly #options: PoolOptions;
  readonly #transports = new Map<string, Transport>();
  #connector: Promise<Connector> | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  transport(endpoint: Endpoint): Transport {
    const key = JSON.stringify(endpoint);
    const known = this.#transports.get(key);
    if (known) return known;
    const transport = endpoint.transport === "local"
      ? createLocalTransport(endpoint)
      : new SshTransport(endpoint, {
        connect: async (hooks) => (await this.#loadConnector()).connect(endpoint, hooks),
      });
    this.#transports.set(key, transport);
    return transport;
  }

  stats(): ReadonlyMap<string, TransportStats> {
    return new Map(
      [...this.#transports.values()].map(({ endpoint, stats }) => [endpoint.name, stats]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const transports = [...this.#transports.values()];
    this.#transports.clear();
    await Promise.all(transports.map((transport) => transport[Symbol.asyncDispose]()));
    await (await this.#connector)?.[Symbol.asyncDispose]();
  }

  #loadConnector(): Promise<Connector> {
    this.#connector ??= lazy<typeof import("./ssh/connector.ts")>(
      "./ssh/connector.ts",
      import.meta.url,
    ).then(({ Connector }) =>
      new Connector({
        handshakes: this.#options.handshakes,
        env: this.#options.env ?? Deno.env.toObject(),
        sshConfig: this.#options.sshConfig,
      })
    );
    return this.#connector;
  }
}
