import type { Command } from "../command_line/command.ts";
import { GridError } from "../../core/errors.ts";
import { renderTrust } from "../../terminal/tables/trust_table.ts";
import type { HostKeyScan } from "../../transport/ssh/trust.ts";
import type { CommandContext } from "../command_module.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";
import { sshEndpoints } from "../ssh_endpoints.ts";

interface TrustFlags extends GlobalFlags {
  readonly yes?: true;
  readonly fingerprints?: string;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[nodes...]", "names, separated by blanks or commas; default all over SSH")
    .option("--fingerprints <file>", "trust only keys that this list vouches for")
    .option("--yes", "do not ask; only together with --fingerprints")
    .close(
      "Fetches host keys without logging in, shows their fingerprints, asks, and adds them to" +
        "\nknown_hosts. A list of fingerprints is what `ssh-keygen -l -f FILE` prints." +
        "\nWhere the login then asks a question: grid login NODE.",
    )
    .action<TrustFlags>(async (names, flags) => {
      if (flags.yes && flags.fingerprints === undefined) throw yesAlone();
      await using session = await openSession(flags, context);
      context.setExitCode(await trust(names, { flags, context, session }));
    });
}

interface TrustOptions {
  readonly flags: TrustFlags;
  readonly context: CommandContext;
  readonly session: Session;
}

async function trust(names: readonly string[], options: TrustOptions): Promise<number> {
  const { context, session, flags } = options;
  const { settings, grid, signal } = session;
  const { scanHostKeys, trustKeys } = await import("../../transport/ssh/trust.ts");
  const scans = await scanHostKeys(sshEndpoints(names, { grid, action: "trust node" }), {
    handshakes: grid.config.ssh.poolSize,
    env: context.env,
    signal,
  });
  if (settings.json) context.stdout(JSON.stringify({ nodes: scans.map(jsonOf) }, null, 2) + "\n");
  else {
    const rows = scans.map((scan) => ({ ...scan, problem: scan.problem?.message }));
    context.stderr(
      renderTrust(rows, { color: settings.color.stderr, width: context.columns("stderr") }),
    );
  }
  const vouched = await vouchedFor(scans, flags.fingerprints);
  const fresh = vouched.flatMap(({ keys }) => keys).filter(({ state }) => state === "unknown");
  const suspect = scans.flatMap(({ node, keys }) => keys.map((key) => ({ ...key, node })))
    .filter(({ state }) => state === "changed" || state === "revoked");
  if (fresh.length > 0 && (flags.yes || confirm(fresh.length, context))) {
    trustKeys(vouched);
    context.stderr(`added ${fresh.length} ${fresh.length === 1 ? "key" : "keys"} to known_hosts\n`);
    if (context.stderrIsTerminal) {
      context.stderr("where a login asks for a password or a code: grid login NODE\n");
    }
  } else if (fresh.length === 0) context.stderr("nothing to add\n");
  if (suspect.length > 0) throw changedKeys(suspect);
  return scans.some(({ problem }) => problem !== undefined) ? 3 : 0;
}

/** With a list, only keys it names for that very machine; a key it does not know is an error. */
async function vouchedFor(
  scans: readonly HostKeyScan[],
  file: string | undefined,
): Promise<readonly HostKeyScan[]> {
  if (file === undefined) return scans;
  const { checkFingerprints, parseFingerprints } = await import(
    "../../transport/ssh/fingerprints.ts"
  );
  const checked = checkFingerprints(scans, parseFingerprints(await readList(file), file));
  const refused = checked.filter(({ refused }) => refused.length > 0);
  if (refused.length === 0) return checked.map(({ scan }) => scan);
  throw new GridError({
    code: "host-key",
    message: `Cannot trust ${refused.map(({ scan }) => scan.node).join(", ")}: ` +
      `${file} does not list the keys they show`,
    hint: "compare the fingerprints above with the machines' own; nothing was added",
  });
}

async function readList(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    const message = `Cannot read list of fingerprints "${file}"`;
    throw new GridError({ code: "usage", message, cause });
  }
}

function confirm(count: number, context: CommandContext): boolean {
  const answer = context.ask(`Add ${count === 1 ? "this key" : `these ${count} keys`}? [y/N] `);
  if (answer !== undefined) return /^y(es)?$/i.test(answer.trim());
  throw new GridError({
    code: "usage",
    message: "Cannot ask whether to trust these keys: there is no terminal",
    hint: "give a list you trust: grid trust --yes --fingerprints FILE",
  });
}

function yesAlone(): GridError {
  return new GridError({
    code: "usage",
    message: "Cannot take --yes alone: trusting keys that nobody compared is no trust",
    hint: "add --fingerprints FILE",
  });
}

function changedKeys(
  keys: readonly { readonly node: string; readonly forget: string | undefined }[],
): GridError {
  const count = keys.length;
  const commands = [
    ...new Set(keys.flatMap(({ forget }) => forget ?? [])),
    `grid trust ${[...new Set(keys.map(({ node }) => node))].join(" ")}`,
  ];
  const cure = keys.some(({ forget }) => forget === undefined)
    ? "a revoked one is never trusted"
    : `if they were set up anew: ${commands.join(" && ")}`;
  return new GridError({
    code: "host-key",
    message: `${count === 1 ? "A key has" : `${count} keys have`} changed or been revoked`,
    hint: `find out why before anything else; ${cure}`,
  });
}

function jsonOf({ node, host, port, keys, problem }: HostKeyScan) {
  const shown = keys.map(({ kind, fingerprint, state, expected }) => ({
    kind,
    fingerprint,
    state,
    expected,
  }));
  return { node, host, port, keys: shown, problem: problem?.message };
}
