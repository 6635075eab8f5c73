/** What `ssh -vv` does on its way to a node, for `grid doctor`: addresses, keys, factors, and its last words. */
import { calledName } from "../ssh/address.ts";
import type { Endpoint } from "../transport.ts";
import { makePrivateFolder } from "./private_folder.ts";
import { sshConfigOf, type SshConfigOptions } from "./ssh_config.ts";

export interface SshTrial {
  readonly isIn: boolean;
  /** `10.0.0.7 port 22`, each that was tried. */
  readonly addresses: readonly string[];
  /** Each key that was offered, as ssh names it. */
  readonly offered: readonly string[];
  /** The one that the server took. */
  readonly accepted: string | undefined;
  /** What the server asked for last: `publickey,password`. */
  readonly factors: string | undefined;
  /** Printed by the account's start-up files, before the command had its turn. */
  readonly noise: string;
  /** Whether the command had its turn at all. */
  readonly ran: boolean;
  /** Without the log. */
  readonly lastWords: string | undefined;
}

/** A word that no start-up file prints. */
const WORD = "grid-doctor-was-here";
const TRIAL_MS = 10_000;

/** Undefined where there is no `ssh`. It asks nothing and adds no host key. */
export async function trySsh(
  endpoint: Endpoint,
  { signal, ...options }: SshConfigOptions & { readonly signal: AbortSignal },
): Promise<SshTrial | undefined> {
  using folder = makePrivateFolder();
  const file = `${folder.path}/config`;
  Deno.writeTextFileSync(file, sshConfigOf(endpoint, options), { mode: 0o600 });
  const args = ["-F", file, "-vv", "-T", "-o", "BatchMode=yes", "-o", "ControlPath=none"];
  try {
    const child = new Deno.Command("ssh", {
      args: [...args, "--", calledName(endpoint), `echo ${WORD}`],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TRIAL_MS)]),
    });
    const { stdout, stderr } = await child.output();
    signal.throwIfAborted();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).slice(0, 2 ** 18);
    return readTrial(text(stdout), text(stderr));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

export function readTrial(stdout: string, log: string): SshTrial {
  const lines = log.split(/\r?\n/);
  const all = (pattern: RegExp) => lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
  const at = stdout.indexOf(WORD);
  return {
    isIn: lines.some((line) => /^(debug1: )?Authenticated to /.test(line)),
    addresses: all(/^debug1: Connecting to .*\[(.+)\.?$/).map((place) =>
      place.replace("]", "").replace(/\.$/, "")
    ),
    offered: all(/^debug1: Offering public key: (.+)$/),
    accepted: all(/^debug1: Server accepts key: (.+)$/).at(-1),
    factors: all(/^debug1: Authentications that can continue: (.+)$/).at(-1),
    noise: (at === -1 ? stdout : stdout.slice(0, at)).slice(0, 200),
    ran: at !== -1,
    lastWords: lines.findLast((line) =>
      line.trim() !== "" &&
      !/^(debug\d: |OpenSSH_\d|Transferred: |Bytes per second: |Authenticated to )/.test(line)
    ),
  };
}
