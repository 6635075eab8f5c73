/** One node as `ssh` configuration: what Grid insists on, the node's own values, then the user's files. */
import { homedir } from "node:os";
import { join } from "node:path";
import { GridError } from "../../core/errors.ts";
import { validName } from "../ssh/address.ts";
import { hopsOf } from "../ssh/proxy_jump.ts";
import type { Endpoint } from "../transport.ts";

export interface SshConfigOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Instead of the user's and the system's files. */
  readonly sshConfig?: string | undefined;
}

/**
 * A file rather than `-o` options: ssh passes its file on to the jump hosts, so that they are held
 * to the same `known_hosts`, never ask, and may be opened with the node's key.
 *
 * @throws {GridError} `usage` for a value that could be misread
 */
export function sshConfigOf(endpoint: Endpoint, { env, sshConfig }: SshConfigOptions): string {
  const home = env["HOME"] ?? homedir();
  const files = sshConfig ? [sshConfig] : [join(home, ".ssh", "config"), "/etc/ssh/ssh_config"];
  return [
    // The first value counts.
    `Host ${nameOf(endpoint)}`,
    ...ownLines(endpoint),
    "Host *",
    ...commonLines(endpoint),
    ...files.map((file) => `Include ${quoted(file, endpoint)}`),
    "",
  ].join("\n");
}

/** The alias that `ssh` is called with. */
export function nameOf(endpoint: Endpoint): string {
  return validName(endpoint.name, { endpoint, what: "host name" });
}

function ownLines(endpoint: Endpoint): string[] {
  const { host, port, user, proxyJump } = endpoint;
  const lines: [string, string | undefined][] = [
    ["HostName", host && validName(host, { endpoint, what: "host name" })],
    ["Port", port?.toString()],
    ["User", user && validName(user, { endpoint, what: "user name" })],
    ["ProxyJump", jumpOf(proxyJump, endpoint)],
    ["ServerAliveInterval", String(Math.ceil(endpoint.keepaliveMs / 1000))],
    ["ServerAliveCountMax", "3"],
    // What is meant for a person's own sessions.
    ["PermitLocalCommand", "no"],
    ["ForwardX11", "no"],
  ];
  return lines.flatMap(([key, value]) => value === undefined ? [] : [`  ${key} ${value}`]);
}

function commonLines(endpoint: Endpoint): string[] {
  const { keyFile, knownHosts } = endpoint;
  return [
    "BatchMode yes",
    "StrictHostKeyChecking yes",
    // The user's own file is read, never written.
    "UpdateHostKeys no",
    "ForwardAgent no",
    `ConnectTimeout ${Math.ceil(endpoint.connectTimeoutMs / 1000)}`,
    ...(keyFile ? [`IdentityFile ${quoted(keyFile, endpoint)}`, "IdentitiesOnly yes"] : []),
    ...(knownHosts ? [`UserKnownHostsFile ${quoted(knownHosts, endpoint)}`] : []),
  ].map((line) => `  ${line}`);
}

function jumpOf(proxyJump: string | undefined, endpoint: Endpoint): string | undefined {
  if (proxyJump === undefined || proxyJump === "none") return proxyJump;
  const hops = hopsOf({
    jumps: proxyJump.split(",").map((hop) => hop.trim()),
    node: endpoint.name,
  });
  for (const { user, host } of hops) {
    validName(host, { endpoint, what: "host name" });
    if (user !== undefined) validName(user, { endpoint, what: "user name" });
  }
  return proxyJump.replaceAll(/\s/g, "");
}

/** ssh expands `%` and `${}` in paths, and knows no way to write a quote that all versions read. */
function quoted(path: string, { name }: Endpoint): string {
  if (!/["\\\0\r\n]|\$\{/.test(path)) return `"${path.replaceAll("%", "%%")}"`;
  throw new GridError({
    code: "usage",
    message: `Cannot connect to "${name}": ssh cannot be given the path ${JSON.stringify(path)}`,
    hint: "name a file without quotes, backslashes and ${",
    node: name,
  });
}
