/** `ssh -G`'s lines, or those of the files themselves, as settings. */
import { DEFAULT_KEYS } from "./home_config.ts";

export interface SshSettings {
  readonly hostName: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly addressFamily: "inet" | "inet6" | undefined;
  readonly identityFiles: readonly string[];
  /** False where they are OpenSSH's defaults. */
  readonly identitiesChosen: boolean;
  readonly identitiesOnly: boolean;
  readonly identityAgent: string | undefined;
  readonly certificateFiles: readonly string[];
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hashKnownHosts: boolean;
  readonly hostKeyAlias: string | undefined;
  readonly proxyJump: string | undefined;
  /** Where `ssh` keeps a connection that others may ride on. */
  readonly controlPath: string | undefined;
  /** What only `ssh` itself can do: the keywords, as people write them. */
  readonly beyond: readonly string[];
  /** Ways to log in that only `ssh` itself knows, with their names in the protocol (RFC 4252, 4462). */
  readonly otherLogins: readonly { readonly keyword: string; readonly method: string }[];
}

/** Settings without which the way there, or the trust in it, would be another. */
const BEYOND: readonly (readonly [string, string])[] = [
  ["proxycommand", "ProxyCommand"],
  ["knownhostscommand", "KnownHostsCommand"],
  ["revokedhostkeys", "RevokedHostKeys"],
  ["bindaddress", "BindAddress"],
  ["bindinterface", "BindInterface"],
];

const OTHER_LOGINS = [
  { keyword: "GSSAPIAuthentication", method: "gssapi-with-mic" },
  { keyword: "HostbasedAuthentication", method: "hostbased" },
  { keyword: "PKCS11Provider", method: "publickey" },
];

/** @param text lines of `keyword value`, as `ssh -G` prints them */
export function settingsOf(text: string): SshSettings {
  const values = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const key = name.toLowerCase();
    values.set(key, [...values.get(key) ?? [], value]);
  }
  const one = (name: string) => values.get(name)?.[0];
  const chosen = (name: string) => one(name) === "none" ? undefined : one(name);
  const identities = values.get("identityfile") ?? DEFAULT_KEYS.map((name) => `~/.ssh/${name}`);
  const family = one("addressfamily");
  return {
    hostName: one("hostname"),
    port: one("port") === undefined ? undefined : Number(one("port")),
    user: one("user"),
    addressFamily: family === "inet" || family === "inet6" ? family : undefined,
    identityFiles: identities.map(unquoted),
    identitiesChosen: !identities.every((path) => /^~\/\.ssh\/id_[a-z0-9_]+$/.test(path)),
    identitiesOnly: one("identitiesonly") === "yes",
    identityAgent: one("identityagent"),
    certificateFiles: (values.get("certificatefile") ?? []).map(unquoted),
    userKnownHostsFiles: paths(one("userknownhostsfile")) ??
      ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"],
    globalKnownHostsFiles: paths(one("globalknownhostsfile")) ??
      ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
    hashKnownHosts: one("hashknownhosts") === "yes",
    hostKeyAlias: chosen("hostkeyalias"),
    proxyJump: chosen("proxyjump"),
    controlPath: chosen("controlpath"),
    beyond: BEYOND.filter(([key]) => chosen(key) !== undefined).map(([, word]) => word),
    otherLogins: OTHER_LOGINS.filter(({ keyword }) =>
      ![undefined, "no"].includes(chosen(keyword.toLowerCase()))
    ),
  };
}

function paths(value: string | undefined): string[] | undefined {
  return value?.match(/"[^"]*"|\S+/g)?.map(unquoted);
}

function unquoted(path: string): string {
  return path.replaceAll('"', "");
}
