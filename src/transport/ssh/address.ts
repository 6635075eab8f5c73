/** Where a node's sshd is and whose keys count: the endpoint first, then what OpenSSH itself would do. */
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { GridError } from "../../core/errors.ts";
import type { Endpoint } from "../transport.ts";
import { readSshSettings, type SshSettings } from "./ssh_settings.ts";

/** Everything one connection needs to know; all paths absolute. */
export interface Address {
  /** The node it belongs to, for messages. */
  readonly node: string;
  /** What the user calls the host; the name in `ssh`'s configuration. */
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
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
  readonly agentSocket: string | undefined;
  /** First hop first; empty for a direct connection. */
  readonly jumps: readonly string[];
}

export interface AddressOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Instead of the user's and the system's files. */
  readonly sshConfig?: string | undefined;
}

/** @throws {GridError} `usage` for a name that must not reach `ssh`, or a setting Grid cannot honour */
export async function resolveAddress(
  endpoint: Endpoint,
  options: AddressOptions,
): Promise<Address> {
  const isOpenSsh = endpoint.transport === "openssh";
  // The system's own ssh is called with the node's name, whatever host the cluster gives it.
  const called = isOpenSsh ? endpoint.name : endpoint.host ?? endpoint.name;
  const alias = validName(called, { endpoint, what: "host name" });
  if (endpoint.user !== undefined) validName(endpoint.user, { endpoint, what: "user name" });
  const settings = await readSshSettings(alias, options);
  if (settings.proxyCommand !== undefined && endpoint.proxyJump === undefined) {
    throw new GridError({
      code: "usage",
      message: `Cannot connect to "${endpoint.name}": its ssh configuration sets ProxyCommand`,
      hint: isOpenSsh
        ? `compare the fingerprint, then add the key by hand: ssh ${endpoint.name}`
        : "set transport: openssh for this node in cluster_config.yaml, or use ProxyJump instead",
      node: endpoint.name,
    });
  }
  const home = options.env["HOME"] ?? homedir();
  const place = {
    host: (isOpenSsh ? endpoint.host : undefined) ?? settings.hostName ?? alias,
    port: endpoint.port ?? settings.port ?? 22,
    user: endpoint.user ?? settings.user ?? options.env["USER"] ?? userInfo().username,
  };
  const expand = (path: string) => expandPath(path, { ...place, alias, home });
  return {
    node: endpoint.name,
    alias,
    ...place,
    host: validName(place.host, { endpoint, what: "host name" }),
    hostKeyAlias: settings.hostKeyAlias,
    hashKnownHosts: settings.hashKnownHosts,
    knownHostsFiles: [
      ...(endpoint.knownHosts ? [endpoint.knownHosts] : settings.userKnownHostsFiles),
      ...settings.globalKnownHostsFiles,
    ].filter((path) => path !== "none").map(expand),
    identityFiles: (endpoint.keyFile ? [endpoint.keyFile] : settings.identityFiles)
      .filter((path) => path !== "none").map(expand),
    identitiesChosen: endpoint.keyFile !== undefined || settings.identitiesChosen,
    identitiesOnly: endpoint.keyFile !== undefined || settings.identitiesOnly,
    agentSocket: agentSocket(settings, { env: options.env, expand }),
    jumps: jumpsOf(endpoint.proxyJump ?? settings.proxyJump),
  };
}

/** `%` and control characters could be expanded or misread on the way; a leading dash is an option. */
const BAD_NAME = /^-|[\0-\x20%\x7f'"`$\\;&<>|(){}]/;

/** @throws {GridError} `usage` */
export function validName(
  name: string,
  { endpoint, what }: { readonly endpoint: Endpoint; readonly what: string },
): string {
  if (name !== "" && !BAD_NAME.test(name)) return name;
  throw new GridError({
    code: "usage",
    message: `Cannot connect to "${endpoint.name}": ${JSON.stringify(name)} is not a ${what}`,
    node: endpoint.name,
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
  if (named.startsWith("$")) return env[named.replace(/^\$\{?|\}$/g, "")] || undefined;
  return expand(named);
}

function jumpsOf(proxyJump: string | undefined): string[] {
  if (proxyJump === undefined || proxyJump === "none") return [];
  return proxyJump.split(",").map((hop) => hop.trim()).filter((hop) => hop !== "");
}

/** Tokens of ssh_config(5) that make sense in a path. */
function expandPath(
  path: string,
  tokens: { host: string; port: number; user: string; alias: string; home: string },
): string {
  const values: Readonly<Record<string, string>> = {
    "%%": "%",
    "%d": tokens.home,
    "%h": tokens.host,
    "%n": tokens.alias,
    "%p": String(tokens.port),
    "%r": tokens.user,
    "%u": userInfo().username,
  };
  const full = path === "~" || path.startsWith("~/") ? join(tokens.home, path.slice(1)) : path;
  return full.replaceAll(/%./g, (token) => values[token] ?? token);
}
