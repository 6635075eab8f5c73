/** Makes connections with the system's own `ssh`. */
import type { Handshakes } from "../handshakes.ts";
import type { ConnectHooks } from "../ssh/channel_budget.ts";
import type { Endpoint } from "../transport.ts";
import { CutOff, Master } from "./master.ts";
import { MuxConnection } from "./mux_connection.ts";
import type { SshConfigOptions } from "./ssh_config.ts";

export interface OpenSshConnectorOptions extends SshConfigOptions {
  readonly handshakes: Handshakes;
}

export class OpenSshConnector {
  readonly #options: OpenSshConnectorOptions;

  constructor(options: OpenSshConnectorOptions) {
    this.#options = options;
  }

  /** @throws {GridError} a transport code, `host-key`, `auth` or `usage` */
  async connect(
    endpoint: Endpoint,
    { signal, ...hooks }: ConnectHooks & { readonly signal: AbortSignal },
  ): Promise<MuxConnection> {
    const { env, sshConfig, handshakes } = this.#options;
    const master = await handshakes.attempt({
      endpoint,
      signal,
      connect: () => Master.open(endpoint, { env, sshConfig, signal }),
      mayPass: ({ cause }) => cause instanceof CutOff,
    });
    return new MuxConnection(master, hooks);
  }
}
