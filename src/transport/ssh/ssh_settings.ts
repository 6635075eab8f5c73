/** What the user's ssh configuration says about a host: `ssh -G` where there is `ssh`, else the files. */
import { homedir } from "node:os";
import { join } from "node:path";
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { configFiles, stampOf } from "./ssh_config_files.ts";

export interface SshSettings {
  readonly hostName: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly identityFiles: readonly string[];
  /** False where they are OpenSSH's defaults. */
  readonly identitiesChosen: boolean;
  readonly identitiesOnly: boolean;
  readonly identityAgent: string | undefined;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hashKnownHosts: boolean;
  readonly hostKeyAlias: string | undefined;
  readonly proxyJump: string | undefined;
  readonly proxyCommand: string | undefined;
}

export interface SettingsOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Instead of the user's and the system's files. */
  readonly sshConfig?: string | undefined;
}

/** `ssh -G` may run `Match exec` commands of the user's. */
const SSH_TIMEOUT_MS = 10_000;

/** The order in which OpenSSH 9 tries its default keys. */
const DEFAULT_IDENTITIES = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"]
  .map((name) => `~/.ssh/${name}`);

interface Answer {
  /** Every file that the answer may have come from. */
  readonly files: readonly string[];
  readonly stamp: string;
  readonly settings: SshSettings;
}

const answers = new Map<string, Answer>();

/** @throws {GridError} `usage` where the configuration is broken */
export async function readSshSettings(
  alias: string,
  options: SettingsOptions,
): Promise<SshSettings> {
  const home = options.env["HOME"] ?? homedir();
  const roots = options.sshConfig
    ? [options.sshConfig]
    : [join(home, ".ssh", "config"), "/etc/ssh/ssh_config"];
  const key = JSON.stringify([alias, roots]);
  const known = answers.get(key);
  if (known && stampOf(known.files) === known.stamp) return known.settings;
  // Looked at before ssh reads them: what changes meanwhile is seen the next time.
  const files = configFiles(roots, { home, env: options.env });
  const stamp = stampOf(files);
  const settings = settingsOf(await askSsh(alias, options) ?? await readSshFiles(alias, roots));
  answers.set(key, { files, stamp, settings });
  return settings;
}

/** Undefined where there is no `ssh`. */
async function askSsh(alias: string, options: SettingsOptions): Promise<string | undefined> {
  const args = ["-G", ...(options.sshConfig ? ["-F", options.sshConfig] : []), "--", alias];
  try {
    const { success, stdout, stderr } = await withDeadline(
      (signal) => new Deno.Command("ssh", { args, stdin: "null", signal }).output(),
      { ms: SSH_TIMEOUT_MS, error: () => unreadable(alias, `ssh -G gave no answer`) },
    );
    const decoder = new TextDecoder();
    if (!success) throw unreadable(alias, decoder.decode(stderr).trim());
    return decoder.decode(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** `Include` is not followed and `Match exec` never runs: only a real `ssh` does both right. */
export async function readSshFiles(alias: string, files: readonly string[]): Promise<string> {
  const { default: SshConfig } = await import("npm:ssh-config@5.3.0");
  const text = files.map(readIfThere).join("\n");
  const found = SshConfig.parse(text).compute(alias, { matchExec: false });
  return Object.entries(found)
    .flatMap(([name, value]) => [value].flat().map((one) => `${name} ${one}`)).join("\n");
}

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
  const identities = values.get("identityfile") ?? DEFAULT_IDENTITIES;
  return {
    hostName: one("hostname"),
    port: one("port") === undefined ? undefined : Number(one("port")),
    user: one("user"),
    identityFiles: identities,
    identitiesChosen: !identities.every((path) => /^~\/\.ssh\/id_[a-z0-9_]+$/.test(path)),
    identitiesOnly: one("identitiesonly") === "yes",
    identityAgent: one("identityagent"),
    userKnownHostsFiles: paths(one("userknownhostsfile")) ??
      ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"],
    globalKnownHostsFiles: paths(one("globalknownhostsfile")) ??
      ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
    hashKnownHosts: one("hashknownhosts") === "yes",
    hostKeyAlias: chosen("hostkeyalias"),
    proxyJump: chosen("proxyjump"),
    proxyCommand: chosen("proxycommand"),
  };
}

function paths(value: string | undefined): string[] | undefined {
  return value?.match(/"[^"]*"|\S+/g)?.map((path) => path.replaceAll('"', ""));
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function unreadable(alias: string, state: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot read the ssh configuration of "${alias}": ${state}`,
    hint: `see what ssh says: ssh -G ${alias}`,
  });
}
