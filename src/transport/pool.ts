/** One transport per endpoint; what a way to a node needs is loaded when a node is reached that way. */
import { lazy } from "../core/lazy.ts";
import { createLocalTransport } from "./local.ts";
import type { OpenSshConnector } from "./openssh/connector.ts";
import type { Connect } from "./ssh/channel_budget.ts";
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
  #openSsh: Promise<OpenSshConnector> | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  transport(endpoint: Endpoint): Transport {
    const key = JSON.stringify(endpoint);
    const known = this.#transports.get(key);
    if (known) return known;
    const transport = endpoint.transport === "local"
      ? createLocalTransport(endpoint)
      : new SshTransport(endpoint, { connect: this.#connectTo(endpoint) });
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

  #connectTo(endpoint: Endpoint): Connect {
    return endpoint.transport === "openssh"
      ? async (hooks) => (await this.#loadOpenSsh()).connect(endpoint, hooks)
      : async (hooks) => (await this.#loadConnector()).connect(endpoint, hooks);
  }

  #loadConnector(): Promise<Connector> {
    this.#connector ??= lazy<typeof import("./ssh/connector.ts")>(
      "./ssh/connector.ts",
      import.meta.url,
    ).then(({ Connector }) => new Connector(this.#connectorOptions()));
    return this.#connector;
  }

  #loadOpenSsh(): Promise<OpenSshConnector> {
    this.#openSsh ??= lazy<typeof import("./openssh/connector.ts")>(
      "./openssh/connector.ts",
      import.meta.url,
    ).then(({ OpenSshConnector }) => new OpenSshConnector(this.#connectorOptions()));
    return this.#openSsh;
  }

  #connectorOptions() {
    const { handshakes, env, sshConfig } = this.#options;
    return { handshakes, env: env ?? Deno.env.toObject(), sshConfig };
  }
}
