/** Where a node's sshd is and whose keys count: the endpoint first, then what OpenSSH itself would do. */
import { GridError } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import type { Endpoint } from "../transport.ts";
import { sshHomeOf, thisAccount } from "./account.ts";
import { readSshSettings, type SettingsOptions } from "./ssh_settings.ts";
import type { SshSettings } from "./ssh_words.ts";
import { expandPath } from "./tokens.ts";

/** Everything one connection needs to know; all paths absolute. */
export interface Address {
  /** The node it belongs to, for messages. */
  readonly node: string;
  /** What the user calls the host; the name in `ssh`'s configuration. */
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** 4 or 6 where only such addresses may be used. */
  readonly family: 4 | 6 | undefined;
  /** The name under which `known_hosts` holds the host's keys. */
  readonly hostKeyAlias: string | undefined;
  /** The user's own first; new keys go into the first. */
  readonly knownHostsFiles: readonly string[];
  /** New lines show no host names. */
  readonly hashKnownHosts: boolean;
  readonly identityFiles: readonly string[];
  /** Set by the user: a missing or unusable file is worth a word. */
  readonly identitiesChosen: boolean;
  /** Keys of the agent that stand in no identity file are left alone. */
  readonly identitiesOnly: boolean;
  readonly certificateFiles: readonly string[];
  readonly agentSocket: string | undefined;
  /** First hop first; empty for a direct connection. */
  readonly jumps: readonly string[];
  /** What the configuration asks for that only `ssh` itself can do. */
  readonly beyond: readonly string[];
  /** Ways to log in that only `ssh` itself knows. */
  readonly otherLogins: SshSettings["otherLogins"];
}

export type AddressOptions = SettingsOptions;

/** @throws {GridError} `usage` for a name that must not reach `ssh`, or a broken configuration */
export async function resolveAddress(
  endpoint: Endpoint,
  options: AddressOptions,
): Promise<Address> {
  const isOpenSsh = endpoint.transport === "openssh";
  const alias = calledName(endpoint);
  if (endpoint.user !== undefined) validName(endpoint.user, { endpoint, what: "user name" });
  const { user, port } = endpoint;
  const settings = await readSshSettings({ alias, user, port }, options);
  const { account = thisAccount(), env } = options;
  const place = {
    host: (isOpenSsh ? endpoint.host : undefined) ?? settings.hostName ?? alias,
    port: port ?? settings.port ?? 22,
    user: user ?? settings.user ?? env["USER"] ?? account.name ?? noUser(endpoint),
  };
  const { hostKeyAlias } = settings;
  const proxyJump = endpoint.proxyJump ?? settings.proxyJump;
  const home = sshHomeOf({ env, account }).path;
  const tokens = { ...place, alias, hostKeyAlias, proxyJump, home, account, env };
  const expand = (paths: readonly string[]) =>
    paths.filter((path) => path !== "none").map((path) => expandPath(path, tokens));
  return {
    node: endpoint.name,
    alias,
    ...place,
    host: validName(place.host, { endpoint, what: "host name" }),
    family: settings.addressFamily && (settings.addressFamily === "inet" ? 4 : 6),
    hostKeyAlias,
    hashKnownHosts: settings.hashKnownHosts,
    knownHostsFiles: expand([
      ...(endpoint.knownHosts ? [endpoint.knownHosts] : settings.userKnownHostsFiles),
      ...settings.globalKnownHostsFiles,
    ]),
    identityFiles: expand(endpoint.keyFile ? [endpoint.keyFile] : settings.identityFiles),
    identitiesChosen: endpoint.keyFile !== undefined || settings.identitiesChosen,
    identitiesOnly: endpoint.keyFile !== undefined || settings.identitiesOnly,
    certificateFiles: expand(settings.certificateFiles),
    agentSocket: agentSocket(settings, { env, expand: (path) => expandPath(path, tokens) }),
    jumps: jumpsOf(proxyJump),
    beyond: settings.beyond.filter((word) =>
      word !== "ProxyCommand" || endpoint.proxyJump === undefined
    ),
    otherLogins: settings.otherLogins,
  };
}

/**
 * What `ssh` would be called with: by `openssh` the node's name, whatever host the cluster gives it.
 *
 * @throws {GridError} `usage`
 */
export function calledName(endpoint: Endpoint): string {
  const { name, host, transport } = endpoint;
  const called = transport === "openssh" ? name : host ?? name;
  return validName(called, { endpoint, what: "host name" });
}

/** `%` and control characters could be expanded or misread on the way; a leading dash is an option. */
const BAD_NAME = /^-|[\0-\x20%\x7f'"`$\\;&<>|(){}]/;

/** An address that counts on one interface only (RFC 4007, section 11): `fe80::1%eth0`. */
const ZONE_ADDRESS = /^[\da-f:]*:[\da-f:.]*%[\w.-]+$/i;

/** @throws {GridError} `usage` */
export function validName(
  name: string,
  { endpoint, what }: { readonly endpoint: Endpoint; readonly what: string },
): string {
  if (name !== "" && (!BAD_NAME.test(name) || isZoneAddress(name, what))) return name;
  throw new GridError({
    code: "usage",
    message: `Cannot connect to "${endpoint.name}": ${JSON.stringify(name)} is not a ${what}`,
    node: endpoint.name,
  });
}

function isZoneAddress(name: string, what: string): boolean {
  return what === "host name" && ZONE_ADDRESS.test(name);
}

function noUser({ name }: Endpoint): never {
  throw new GridError({
    code: "usage",
    message: `Cannot connect to "${name}": nobody says as whom, and uid ${Deno.uid()} has no name`,
    hint: "give the node a user in cluster_config.yaml",
    node: name,
  });
}

function agentSocket(
  settings: SshSettings,
  { env, expand }: {
    readonly env: Readonly<Record<string, string>>;
    readonly expand: (path: string) => string;
  },
): string | undefined {
  const named = settings.identityAgent;
  if (named === "none") return undefined;
  if (named === undefined || named === "SSH_AUTH_SOCK") return env["SSH_AUTH_SOCK"] || undefined;
  if (/^\$\w+$/.test(named)) return own(env, named.slice(1)) || undefined;
  const whole = /^\$\{(\w+)\}$/.exec(named)?.[1];
  return whole ? own(env, whole) || undefined : expand(named.replaceAll('"', ""));
}

function jumpsOf(proxyJump: string | undefined): string[] {
  if (proxyJump === undefined || proxyJump === "none") return [];
  return proxyJump.split(",").map((hop) => hop.trim()).filter((hop) => hop !== "");
}
