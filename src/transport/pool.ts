/** One transport per endpoint; what a way to a node needs is loaded when a node is reached that way. */
import { lazy } from "../core/lazy.ts";
import type { Handshakes } from "./handshakes.ts";
import { withFallback } from "./fallback.ts";
import { createLocalTransport } from "./local.ts";
import type { OpenSshConnector } from "./openssh/connector.ts";
import { hasLogin } from "./openssh/login_place.ts";
import type { Connect } from "./ssh/channel_budget.ts";
import type { Connector, ConnectorOptions } from "./ssh/connector.ts";
import { SshTransport } from "./ssh/transport.ts";
import type { Endpoint, Transport, TransportPool, TransportStats } from "./transport.ts";

export interface PoolOptions {
  /** Handshakes under way at once, over all nodes. */
  readonly handshakes: number;
  /** Variables of this process that no command on this machine inherits; may grow at any time. */
  readonly hidden?: ReadonlySet<string> | undefined;
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
  /** Shared by all ways to a node that need any. */
  #handshakes: Handshakes | undefined;
  readonly #transports = new Map<string, Transport>();
  /** Asked for again and again with the same object. */
  readonly #known = new WeakMap<Endpoint, Transport>();
  #connector: Promise<Connector> | undefined;
  #openSsh: Promise<OpenSshConnector> | undefined;

  /** Why the ssh program was taken, as far as it was told. */
  readonly #told = new Set<string>();
  readonly #env: Readonly<Record<string, string>>;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#env = options.env ?? Deno.env.toObject();
  }

  transport(endpoint: Endpoint): Transport {
    const known = this.#known.get(endpoint);
    if (known) return known;
    const key = JSON.stringify(endpoint);
    const transport = this.#transports.get(key) ?? this.#made(endpoint);
    this.#transports.set(key, transport);
    this.#known.set(endpoint, transport);
    return transport;
  }

  #made(endpoint: Endpoint): Transport {
    return endpoint.transport === "local"
      ? createLocalTransport(endpoint, this.#options)
      : new SshTransport(endpoint, {
        connect: this.#connectTo(endpoint),
        connectBeside: async (request) =>
          await (await this.#loadOpenSsh()).connectBeside(endpoint, request),
      });
  }

  stats(): ReadonlyMap<string, TransportStats> {
    return new Map(
      [...this.#transports.values()].map(({ endpoint, stats }) => [endpoint.name, stats]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Kept: their counters are asked for afterwards, too.
    const transports = [...this.#transports.values()];
    await Promise.all(transports.map((transport) => transport[Symbol.asyncDispose]()));
    await (await this.#connector)?.[Symbol.asyncDispose]();
  }

  #connectTo(endpoint: Endpoint): Connect {
    const system: Connect = async (hooks) => (await this.#loadOpenSsh()).connect(endpoint, hooks);
    if (endpoint.transport === "openssh") return system;
    return withFallback(endpoint, {
      own: async (hooks) => (await this.#loadConnector()).connect(endpoint, hooks),
      system,
      ride: async (hooks) => (await this.#loadOpenSsh()).ride(endpoint, hooks),
      isLoggedIn: () => hasLogin(endpoint, { env: this.#env }),
      env: this.#env,
      told: this.#told,
    });
  }

  #loadConnector(): Promise<Connector> {
    this.#connector ??= this.#load(async (options) => {
      const { Connector } = await lazy<typeof import("./ssh/connector.ts")>(
        "./ssh/connector.ts",
        import.meta.url,
      );
      return new Connector(options);
    });
    return this.#connector;
  }

  #loadOpenSsh(): Promise<OpenSshConnector> {
    this.#openSsh ??= this.#load(async (options) => {
      const { OpenSshConnector } = await lazy<typeof import("./openssh/connector.ts")>(
        "./openssh/connector.ts",
        import.meta.url,
      );
      return new OpenSshConnector(options);
    });
    return this.#openSsh;
  }

  async #load<T>(make: (options: ConnectorOptions) => Promise<T>): Promise<T> {
    const { Handshakes } = await lazy<typeof import("./handshakes.ts")>(
      "./handshakes.ts",
      import.meta.url,
    );
    const { sshConfig, handshakes } = this.#options;
    this.#handshakes ??= new Handshakes(handshakes);
    return await make({ handshakes: this.#handshakes, env: this.#env, sshConfig });
  }
}
