/** Makes connections with the system's own `ssh`. */
import { getLogger } from "../../core/log.ts";
import type { Handshakes } from "../handshakes.ts";
import type { ConnectHooks } from "../ssh/channel_budget.ts";
import type { Endpoint } from "../transport.ts";
import type { BesideRequest } from "../ssh/bulk_way.ts";
import { type LoneChannel, openLoneChannel } from "./lone_channel.ts";
import { CutOff, Master } from "./master.ts";
import { MuxConnection } from "./mux_connection.ts";
import type { SshConfigOptions } from "./ssh_config.ts";
import { findUsersMaster } from "./users_master.ts";

const log = getLogger("transport");

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
    const { handshakes, ...options } = this.#options;
    const open = await this.ride(endpoint, hooks);
    if (open) return open;
    const master = await handshakes.attempt({
      endpoint,
      signal,
      onState: hooks.onState,
      isMute: true,
      connect: () => Master.open(endpoint, { ...options, signal }),
      mayPass: ({ cause }) => cause instanceof CutOff,
    });
    return new MuxConnection(master, hooks);
  }

  /** Once, and with no key but those of the request. @throws {GridError} a transport code */
  async connectBeside(
    endpoint: Endpoint,
    { keyFiles, ...request }: BesideRequest,
  ): Promise<LoneChannel> {
    const { handshakes, ...options } = this.#options;
    return await handshakes.run(
      () => openLoneChannel(endpoint, { ...options, onlyKeys: keyFiles, ...request }),
      { isMute: true },
    );
  }

  /** On the user's own open connection; undefined where there is none. */
  async ride(endpoint: Endpoint, hooks: ConnectHooks): Promise<MuxConnection | undefined> {
    const users = await findUsersMaster(endpoint, this.#options);
    if (!users) return undefined;
    log.info("{node}: rides on your own open connection {socket}", {
      node: endpoint.name,
      socket: users.socket,
    });
    return new MuxConnection(users, hooks);
  }
}
