/** What the user's ssh configuration says about a host: `ssh -G` where there is `ssh`, else the files. */
import { join } from "node:path";
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { getLogger } from "../../core/log.ts";
import pLimit from "npm:p-limit@7.3.3";
import { type HomeOptions, type SshHome, sshHomeOf, tellHome, thisAccount } from "./account.ts";
import { type ConfigLines, configLines, groupOf } from "./config_groups.ts";
import { configText } from "./config_text.ts";
import { homeConfig } from "./home_config.ts";
import { configFiles, type ConfigFilesOptions, stampOf } from "./ssh_config_files.ts";
import { settingsOf, type SshSettings } from "./ssh_words.ts";
import { expandPath } from "./tokens.ts";

const log = getLogger("transport");

export interface SettingsOptions extends HomeOptions {
  /** Instead of the user's and the system's files. */
  readonly sshConfig?: string | undefined;
}

/** As `ssh` is called: `ssh -l user -p port alias`. */
export interface Question {
  readonly alias: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
}

/** `ssh -G` may run `Match exec` commands of the user's. */
const SSH_TIMEOUT_MS = 10_000;

/** A process each; more at once are no faster. */
const ASKED_AT_ONCE = 8;

/** Why there is no answer. */
interface Unreadable {
  readonly problem: string;
}

interface Files {
  /** Every file that an answer may have come from. */
  readonly paths: readonly string[];
  readonly stamp: string;
  readonly lines: ConfigLines;
  /** By what they depend on. */
  readonly answers: Map<string, Promise<SshSettings | Unreadable>>;
}

const known = new Map<string, Files>();
const asking = pLimit(ASKED_AT_ONCE);

/** @throws {GridError} `usage` where the configuration is broken */
export async function readSshSettings(
  question: Question,
  options: SettingsOptions,
): Promise<SshSettings> {
  const { env, sshConfig, account = thisAccount() } = options;
  const home = sshHomeOf(options);
  if (!sshConfig) tellHome(home);
  const roots = sshConfig
    ? [sshConfig]
    : [join(home.path, ".ssh", "config"), "/etc/ssh/ssh_config"];
  const { alias, user, port } = question;
  const { answers, lines } = readFiles(roots, { home: home.path, env });
  const group = groupOf(lines, alias);
  const key = JSON.stringify([group.key, user, port]);
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = asking(async () => {
      const text = await askSsh(question, { ...options, home }) ??
        await readSshFiles(question, { roots, home: home.path, env });
      return typeof text === "string" ? settingsOf(text) : text;
    });
    answers.set(key, answer);
    // The next to ask may have more luck.
    const forget = () => answers.delete(key);
    answer.then((settings) => "problem" in settings && forget(), forget);
  }
  const settings = await answer;
  if ("problem" in settings) throw unreadable(alias, settings.problem);
  if (group.hostName === undefined) return settings;
  const own = { ...settings, hostName: group.hostName };
  if (group.controlPath === undefined) return own;
  const tokens = {
    ...{ alias, host: group.hostName, port: settings.port ?? 22 },
    user: settings.user ?? account.name ?? "",
    ...{ hostKeyAlias: settings.hostKeyAlias, proxyJump: settings.proxyJump },
    ...{ home: home.path, account, env },
  };
  return { ...own, controlPath: expandPath(group.controlPath, tokens) };
}

/** Read anew as soon as one of them has changed. */
function readFiles(
  roots: readonly string[],
  options: ConfigFilesOptions,
): Pick<Files, "answers" | "lines"> {
  const key = JSON.stringify([options.home, roots]);
  const before = known.get(key);
  if (before !== undefined && stampOf(before.paths) === before.stamp) return before;
  // Looked at before ssh reads them: what changes meanwhile is seen the next time.
  const paths = configFiles(roots, options);
  const files = {
    paths,
    stamp: stampOf(paths),
    lines: configLines(roots, options),
    answers: new Map(),
  };
  known.set(key, files);
  return files;
}

/** Undefined where there is no `ssh`, or none that runs for this account. */
async function askSsh(
  { alias, user, port }: Question,
  { sshConfig, home, env }: SettingsOptions & { readonly home: SshHome },
): Promise<string | Unreadable | undefined> {
  // ssh would look in the account's home, and knows no other.
  using own = sshConfig === undefined && home.insteadOf !== undefined
    ? homeConfig(home.path, { alias, env })
    : undefined;
  const file = sshConfig ?? own?.file;
  const args = [
    "-G",
    ...(file ? ["-F", file] : []),
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    "--",
    alias,
  ];
  try {
    const { success, stdout, stderr } = await withDeadline(
      (signal) => new Deno.Command("ssh", { args, env, stdin: "null", signal }).output(),
      { ms: SSH_TIMEOUT_MS, error: () => unreadable(alias, "ssh -G gave no answer") },
    );
    const decoder = new TextDecoder();
    if (success) return decoder.decode(stdout);
    const words = decoder.decode(stderr).trim();
    // A uid without an entry in the passwd database, as in many containers.
    if (/^No user exists for uid/.test(words)) return undefined;
    return { problem: words };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Without a real `ssh`: `Match exec` never runs, and what cannot be followed is told. */
export async function readSshFiles(
  { alias, user }: Question,
  { roots, home, env }: {
    readonly roots: readonly string[];
    readonly home: string;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<string> {
  const { default: SshConfig } = await import("npm:ssh-config@5.3.0");
  const texts = roots.map((file) => configText(file, { alias, home, env }));
  for (const line of texts.flatMap(({ notFollowed }) => notFollowed)) {
    log.warn("{line}: passed over, since there is no ssh here to ask whether it counts", { line });
  }
  const text = texts.map((one) => one.text).join("\nMatch all\n");
  const found = SshConfig.parse(text).compute(
    { Host: alias, ...(user === undefined ? {} : { User: user }) },
    { matchExec: false },
  );
  return Object.entries(found)
    .flatMap(([name, value]) => [value].flat().map((one) => `${name} ${one}`)).join("\n");
}

function unreadable(alias: string, state: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot read the ssh configuration of "${alias}": ${state}`,
    hint: `see what ssh says: ssh -G ${alias}`,
  });
}
