/** Makes connections, through which hosts they may lead. Pulls in ssh2. */
import type { Duplex } from "node:stream";
import { GridError } from "../../core/errors.ts";
import type { Handshakes } from "../handshakes.ts";
import type { Endpoint } from "../transport.ts";
import { type Address, type AddressOptions, resolveAddress } from "./address.ts";
import { Beyond } from "./beyond.ts";
import type { ConnectHooks } from "./channel_budget.ts";
import { SshConnection } from "./connection.ts";
import { handshake, TurnedAway } from "./handshake.ts";
import { fetchHostKeys } from "./host_key_scan.ts";
import { type Hop, hopsOf, isSamePlace } from "./proxy_jump.ts";

export interface ConnectorOptions extends AddressOptions {
  readonly handshakes: Handshakes;
}

/** `Host *` with a ProxyJump, and jump hosts that name each other, end here. */
const MOST_HOPS = 8;

export class Connector implements AsyncDisposable {
  readonly #options: ConnectorOptions;
  /** Connections to jump hosts, each shared by all nodes behind it. */
  readonly #bastions = new Map<string, Promise<SshConnection>>();

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** @throws {GridError} a transport code, `host-key` or `auth` */
  async connect(
    endpoint: Endpoint,
    { signal, ...hooks }: ConnectHooks & { readonly signal: AbortSignal },
  ): Promise<SshConnection> {
    const address = await resolveAddress(endpoint, this.#options);
    needNothingBeyond(address);
    const hops = this.#usefulHops(address);
    const through = await this.#chain(hops, { endpoint, signal });
    return await this.#connectTo(address, { endpoint, hooks, signal, through });
  }

  /** @throws {GridError} a transport code where no key could be had */
  async scan(
    endpoint: Endpoint,
    signal: AbortSignal,
  ): Promise<{ readonly address: Address; readonly keys: readonly Uint8Array[] }> {
    const address = await resolveAddress(endpoint, this.#options);
    needNothingBeyond(
      address,
      "compare the fingerprint, then add the key by hand: " +
        `ssh ${address.alias}`,
    );
    const bastion = await this.#chain(this.#usefulHops(address), { endpoint, signal });
    const keys = await this.#options.handshakes.run(() =>
      fetchHostKeys(address, {
        timeoutMs: endpoint.connectTimeoutMs,
        through: bastion && (() => bastion.forward(address)),
        signal,
      }), { isMute: true });
    return { address, keys };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const bastions = [...this.#bastions.values()].reverse();
    this.#bastions.clear();
    for (const bastion of bastions) {
      await bastion.then((connection) => connection[Symbol.asyncDispose](), () => {});
    }
  }

  /** The connection to the last hop; undefined where there is none. */
  async #chain(
    hops: readonly Hop[],
    context: { readonly endpoint: Endpoint; readonly signal: AbortSignal },
    depth = 0,
  ): Promise<SshConnection | undefined> {
    const last = hops.at(-1);
    if (last === undefined) return undefined;
    const { endpoint } = context;
    if (depth + hops.length > MOST_HOPS) throw tooManyHops(endpoint.name);
    const key = JSON.stringify([hops, endpoint.knownHosts, endpoint.keyFile]);
    const known = this.#bastions.get(key);
    if (known && await known.then(({ usable }) => usable, () => false)) return await known;
    const connecting = this.#connectHop(hops, { ...context, depth });
    this.#bastions.set(key, connecting);
    return await connecting;
  }

  async #connectHop(
    hops: readonly Hop[],
    context: { readonly endpoint: Endpoint; readonly signal: AbortSignal; readonly depth: number },
  ): Promise<SshConnection> {
    const { endpoint, depth } = context;
    const [before, hop] = [hops.slice(0, -1), hops.at(-1)];
    if (!hop) throw new Error("a chain has at least one hop");
    const hopEndpoint = { ...endpoint, ...hop, name: hop.host, proxyJump: undefined };
    const address = await resolveAddress({ ...hopEndpoint, keyFile: undefined }, this.#options);
    needNothingBeyond(address);
    const own = before.length > 0 ? before : this.#usefulHops(address);
    const through = await this.#chain(own, context, depth + 1);
    return await this.#connectTo(withKey(address, endpoint.keyFile), {
      endpoint: hopEndpoint,
      // Another caller may wait for this connection too: one caller's end is not its end.
      signal: new AbortController().signal,
      hooks: { onBytes: () => {}, onFree: () => {} },
      through,
    }).catch((error) => {
      throw error instanceof GridError && error.code === "host-key"
        ? atJumpHost(error, address)
        : error;
    });
  }

  #usefulHops(address: Address): Hop[] {
    return hopsOf(address).filter((hop) => !isSamePlace(hop, address));
  }

  async #connectTo(
    address: Address,
    { endpoint, hooks, signal, through }: {
      readonly endpoint: Endpoint;
      readonly hooks: ConnectHooks;
      readonly signal: AbortSignal;
      readonly through: SshConnection | undefined;
    },
  ): Promise<SshConnection> {
    const tunnel = through && ((): Promise<Duplex> => through.forward(address));
    const { client, keyFile } = await this.#options.handshakes.attempt({
      endpoint,
      signal,
      onState: hooks.onState,
      connect: (shaking) =>
        handshake(address, {
          shaking,
          timeoutMs: endpoint.connectTimeoutMs,
          keepaliveMs: endpoint.keepaliveMs,
          through: tunnel,
          signal,
        }),
      // Turned away or cut off while many came at once, as by MaxStartups.
      mayPass: ({ cause }) => cause instanceof TurnedAway,
    });
    const before = through === undefined ? [] : through.keyFiles;
    const keyFiles = keyFile === undefined ? undefined : before?.concat(keyFile);
    return new SshConnection(client, { node: endpoint.name, keyFiles, ...hooks });
  }
}

/** @throws {GridError} `usage` where the configuration asks for what only `ssh` itself can do */
function needNothingBeyond({ node, beyond }: Address, hint?: string): void {
  if (beyond.length === 0) return;
  const reason = `its ssh configuration sets ${beyond.join(", ")}`;
  throw new GridError({
    code: "usage",
    message: `Cannot connect to "${node}": ${reason}, which only ssh itself can do`,
    hint: hint ?? "set transport: openssh for this node in cluster_config.yaml",
    node,
    cause: new Beyond(reason),
  });
}

/** A key configured for Grid opens its jump hosts too, after those that ssh's own files name. */
function withKey(address: Address, keyFile: string | undefined): Address {
  if (keyFile === undefined) return address;
  const own = address.identitiesChosen ? address.identityFiles : [];
  return {
    ...address,
    identityFiles: [...own, keyFile],
    identitiesChosen: true,
    identitiesOnly: true,
  };
}

/** A jump host need not be a node, so `grid trust` may not know it; and who hears of it asked for a node. */
function atJumpHost(error: GridError, { user, host, port, node }: Address): GridError {
  const { code, message, hint = "" } = error;
  const byHand = `ssh -p ${port} ${user}@${host}`;
  return new GridError({
    code,
    message: message.replace(
      ": its host key",
      `: the host key of the jump host ${host} port ${port}`,
    ),
    hint: hint.includes("ssh-keygen -R")
      ? hint.replace(/grid trust .*$/, byHand)
      : `compare the fingerprint, then add the key by hand: ${byHand}`,
    node,
    cause: error.cause ?? error,
  });
}

function tooManyHops(node: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot connect to "${node}": more than ${MOST_HOPS} jump hosts in a row`,
    hint: "look for jump hosts that name each other: ssh -G <host> | grep -i proxyjump",
    node,
  });
}
