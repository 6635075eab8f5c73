/** Makes a connection however many hops it takes; loaded only when a node behind sshd is used. */
import type { Duplex } from "node:stream";
import type { Endpoint } from "../transport.ts";
import { type AddressOptions, resolveAddress } from "./address.ts";
import type { ConnectHooks } from "./channel_budget.ts";
import { SshConnection } from "./connection.ts";
import { handshake } from "./handshake.ts";

export interface ConnectOptions extends AddressOptions {
  /** The connection to a jump host, shared by all nodes behind it. */
  readonly jumpHost: (hop: string, endpoint: Endpoint) => Promise<SshConnection>;
}

export async function connectNode(
  endpoint: Endpoint,
  hooks: ConnectHooks,
  options: ConnectOptions,
): Promise<SshConnection> {
  const address = await resolveAddress(endpoint, options);
  const hop = address.jumps.at(-1);
  const through = hop === undefined ? undefined : async (): Promise<Duplex> => {
    const bastion = await options.jumpHost(address.jumps.join(","), endpoint);
    return await bastion.forward(address.host, address.port);
  };
  const client = await handshake(address, {
    timeoutMs: endpoint.connectTimeoutMs,
    keepaliveMs: endpoint.keepaliveMs,
    through,
  });
  return new SshConnection(client, { node: endpoint.name, ...hooks });
}
