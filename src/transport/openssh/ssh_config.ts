/** One node as `ssh` configuration: what Grid insists on, the node's own values, then the user's files. */
import { join } from "node:path";
import { GridError } from "../../core/errors.ts";
import { sshHomeOf, tellHome } from "../ssh/account.ts";
import { calledName, validName } from "../ssh/address.ts";
import { homeConfigText } from "../ssh/home_config.ts";
import { hopsOf } from "../ssh/proxy_jump.ts";
import { configFiles, readIfFile } from "../ssh/ssh_config_files.ts";
import type { SettingsOptions } from "../ssh/ssh_settings.ts";
import type { Endpoint } from "../transport.ts";

export interface SshConfigOptions extends SettingsOptions {
  /** A person is at the terminal; default false. */
  readonly mayAsk?: boolean;
  /** Files of keys that are known to do, with no agent and before all others. */
  readonly onlyKeys?: readonly string[];
  /** To be offered where nobody has said which; default: what ssh would offer. */
  readonly ciphers?: string | undefined;
}

/**
 * A file rather than `-o` options: ssh passes its file on to the jump hosts, so that they are held
 * to the same `known_hosts`, never ask, and may be opened with the node's key.
 *
 * @throws {GridError} `usage` for a value that could be misread
 */
export function sshConfigOf(endpoint: Endpoint, options: SshConfigOptions): string {
  const { env, sshConfig } = options;
  const alias = calledName(endpoint);
  const home = sshHomeOf(options);
  const files = sshConfig
    ? [sshConfig]
    : [join(home.path, ".ssh", "config"), "/etc/ssh/ssh_config"];
  if (!sshConfig) tellHome(home);
  const isOwnHome = sshConfig !== undefined || home.insteadOf === undefined;
  return [
    // The first value counts.
    `Host ${alias}`,
    ...ownLines(endpoint),
    "Host *",
    ...commonLines(endpoint, options),
    ...stayingLines(configFiles(files, { home: home.path, env })),
    ...(isOwnHome
      ? files.map((file) => `Include ${quoted(file, endpoint)}`)
      // ssh would look in the account's home, and knows no other.
      : [homeConfigText(home.path, { alias, env })]),
    // Behind all others, which count.
    ...(options.ciphers ? ["Host *", `  Ciphers ${options.ciphers}`] : []),
    "",
  ].join("\n");
}

/** Older versions of ssh do not know these words, and then they are in none of the user's files either. */
const STAYING = { ForkAfterAuthentication: "no", SessionType: "default", StdinNull: "no" };

function stayingLines(files: readonly string[]): string[] {
  const texts = files.map(readIfFile);
  return Object.entries(STAYING).flatMap(([word, value]) =>
    texts.some((text) => RegExp(`^\\s*${word}\\b`, "im").test(text)) ? [`  ${word} ${value}`] : []
  );
}

function ownLines(endpoint: Endpoint): string[] {
  const { host, port, user, proxyJump, transport } = endpoint;
  const hostName = host && validName(host, { endpoint, what: "host name" });
  const lines: [string, string | undefined][] = [
    // Else ssh is called with it.
    ["HostName", transport === "openssh" ? hostName?.replaceAll("%", "%%") : undefined],
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

function commonLines(endpoint: Endpoint, options: SshConfigOptions): string[] {
  const { mayAsk = false, onlyKeys } = options;
  const { keyFile, knownHosts } = endpoint;
  const keys = onlyKeys ?? (keyFile ? [keyFile] : []);
  return [
    `BatchMode ${mayAsk ? "no" : "yes"}`,
    "StrictHostKeyChecking yes",
    // The user's own file is read, never written.
    "UpdateHostKeys no",
    "ForwardAgent no",
    `ConnectTimeout ${Math.ceil(endpoint.connectTimeoutMs / 1000)}`,
    ...keys.map((file) => `IdentityFile ${quoted(file, endpoint)}`),
    ...(keys.length > 0 ? ["IdentitiesOnly yes"] : []),
    ...(onlyKeys ? ["IdentityAgent none"] : []),
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
