/** One transport per endpoint; `ssh2` is loaded only when a node behind sshd is used. */
import pLimit from "p-limit";
import { retryDelay } from "../core/backoff.ts";
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { createLocalTransport } from "./local.ts";
import type { ConnectHooks } from "./ssh/channel_budget.ts";
import type { SshConnection } from "./ssh/connection.ts";
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
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #transports = new Map<string, Transport>();

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#limit = pLimit(options.handshakes);
  }

  transport(endpoint: Endpoint): Transport {
    const key = JSON.stringify(endpoint);
    let transport = this.#transports.get(key);
    if (!transport) {
      transport = endpoint.transport === "local"
        ? createLocalTransport(endpoint)
        : new SshTransport(endpoint, { connect: (...args) => this.#connect(...args) });
      this.#transports.set(key, transport);
    }
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
  }

  async #connect(endpoint: Endpoint, hooks: ConnectHooks): Promise<SshConnection> {
    const { connectNode } = await import("./ssh/connect.ts");
    const options = {
      env: this.#options.env ?? Deno.env.toObject(),
      sshConfig: this.#options.sshConfig,
      jumpHost: () => Promise.reject(new Error("not yet")),
    };
    for (let retry = 1;; retry++) {
      try {
        return await this.#limit(() => connectNode(endpoint, hooks, options));
      } catch (error) {
        if (retry > endpoint.maxRetries || !mayPass(error)) throw error;
        await systemClock.sleep(retryDelay(RETRY, { retry, random: Math.random }));
      }
    }
  }
}

/** Short, because a server that turns a crowd away has room again after one handshake. */
const RETRY = { delayMs: 200, maxDelayMs: 5000, backoff: "exponential", jitter: "full" } as const;

/** Turned away, or cut off, while many came at once. */
function mayPass(error: unknown): boolean {
  return error instanceof GridError && error.code === "banner";
}
