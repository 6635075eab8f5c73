/**
 * A home of one's own for programs that ask the passwd database where it is, as `ssh` does: in a mount
 * namespace a folder lies over the account's home. Needs root.
 */
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

/** What programs keep in the home and still need; `.cache` holds Deno's modules. */
const KEPT = [".cache", ".deno", ".npm", ".local"];

const IN_NAMESPACE = `set -e
new=$1 home=$2 kept=$3; shift 3
for name in $kept; do mount --rbind "$home/$name" "$new/$name"; done
mount --rbind "$new" "$home"
mount --bind "$home/.hosts" /etc/hosts
export HOME="\${GRID_TEST_HOME:-$home}"
cd /
exec "$@"`;

export interface FreshHome {
  /** The folder; to programs it is the account's home. */
  readonly folder: string;
  /** More lines for `/etc/hosts`. */
  readonly hosts?: readonly string[];
  /** `HOME` in the environment, where it is to differ from the account's home. */
  readonly named?: string;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The account's home as the passwd database says it: where the folder will lie. */
export function accountHome(): string {
  return userInfo().homedir ?? "/root";
}

/** A program that finds the folder in place of its home. */
export function commandAtHome(
  { folder, hosts = [], named }: FreshHome,
  command: readonly string[],
  { env = {}, stdin = "null" }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly stdin?: "null" | "piped";
  } = {},
): Deno.Command {
  const home = accountHome();
  const kept = KEPT.filter((name) => existsSync(join(home, name)));
  for (const name of kept) Deno.mkdirSync(join(folder, name), { recursive: true });
  writeHosts(folder, hosts);
  const args = ["-m", "sh", "-c", IN_NAMESPACE, "sh", folder, home, kept.join(" ")];
  return new Deno.Command("unshare", {
    args: [...args, ...command],
    env: { ...env, ...(named === undefined ? {} : { GRID_TEST_HOME: named }) },
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
}

/** May be called again while programs run there. */
export function writeHosts(folder: string, hosts: readonly string[]): void {
  const own = Deno.readTextFileSync("/etc/hosts");
  Deno.writeTextFileSync(`${folder}/.hosts`, `${own}\n${hosts.join("\n")}\n`);
}

export async function runAtHome(
  home: FreshHome,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const { code, stdout, stderr } = await commandAtHome(home, command, { env }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
