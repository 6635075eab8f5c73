/** Makes connections with the system's own `ssh`: how many at once, and how often again. */
import pLimit from "p-limit";
import { retryDelay } from "../../core/backoff.ts";
import { systemClock } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import { getLogger } from "../../core/log.ts";
import type { ConnectHooks } from "../ssh/channel_budget.ts";
import type { SshConnection } from "../ssh/connection.ts";
import type { Endpoint } from "../transport.ts";
import { CutOff, Master } from "./master.ts";
import { MuxConnection } from "./mux_connection.ts";
import type { SshConfigOptions } from "./ssh_config.ts";

export interface OpenSshConnectorOptions extends SshConfigOptions {
  /** Handshakes under way at once, over all nodes that are reached this way. */
  readonly handshakes: number;
}

/** Short, because a server that turns a crowd away has room again after one handshake. */
const RETRY = { delayMs: 250, maxDelayMs: 5000, backoff: "exponential", jitter: "full" } as const;

const log = getLogger("transport");

export class OpenSshConnector {
  readonly #options: OpenSshConnectorOptions;
  readonly #limit: ReturnType<typeof pLimit>;

  constructor(options: OpenSshConnectorOptions) {
    this.#options = options;
    this.#limit = pLimit(options.handshakes);
  }

  /** @throws {GridError} a transport code, `host-key`, `auth` or `usage` */
  async connect(
    endpoint: Endpoint,
    { signal, ...hooks }: ConnectHooks & { readonly signal: AbortSignal },
  ): Promise<SshConnection> {
    for (let retry = 1;; retry++) {
      try {
        const { env, sshConfig } = this.#options;
        const master = await this.#limit(() => Master.open(endpoint, { env, sshConfig, signal }));
        const connection: unknown = new MuxConnection(master, hooks);
        // `ChannelBudget` uses what `MuxConnection` declares to share with this class.
        return connection as SshConnection;
      } catch (error) {
        if (retry > endpoint.maxRetries || !mayPass(error)) throw error;
        const wait = retryDelay(RETRY, { retry, random: Math.random });
        log.debug("{node}: {problem}; trying again in {wait} ms", {
          node: endpoint.name,
          problem: error.message,
          wait,
        });
        await systemClock.sleep(wait, { signal });
      }
    }
  }
}

function mayPass(error: unknown): error is GridError {
  return error instanceof GridError && error.cause instanceof CutOff;
}
