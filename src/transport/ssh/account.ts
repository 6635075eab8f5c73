/** Whose `~` counts: `ssh` asks the passwd database, a container job sets `$HOME`. */
import { userInfo } from "node:os";
import { getLogger } from "../../core/log.ts";

const log = getLogger("transport");

/** What the passwd database says; all unknown for a uid that has no entry, as in many containers. */
export interface Account {
  readonly name: string | undefined;
  readonly home: string | undefined;
}

export interface SshHome {
  /** What `~` means, and where `.ssh` lies. */
  readonly path: string;
  /** The home where `ssh` itself would look, where that is another one. */
  readonly insteadOf: string | undefined;
}

export interface HomeOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Default: this process's. */
  readonly account?: Account | undefined;
}

export function thisAccount(): Account {
  try {
    const { username, homedir } = userInfo();
    return { name: username, home: homedir };
  } catch {
    // No entry for this uid. Grid's own SSH needs none; the `ssh` program does not start without.
    return { name: undefined, home: undefined };
  }
}

/**
 * The account's home, as for `ssh`. Where only `$HOME/.ssh` holds keys or a configuration, as in the
 * container jobs of hosted CI, that one.
 */
export function sshHomeOf({ env, account = thisAccount() }: HomeOptions): SshHome {
  const named = env["HOME"] || undefined;
  const { home } = account;
  if (home === undefined) return { path: named ?? "/", insteadOf: undefined };
  if (named === undefined || isSame(named, home) || isFurnished(home) || !isFurnished(named)) {
    return { path: home, insteadOf: undefined };
  }
  return { path: named, insteadOf: home };
}

const told = new Set<string>();

/** Once: `ssh` by hand does otherwise. */
export function tellHome({ path, insteadOf }: SshHome): void {
  if (insteadOf === undefined || told.has(path)) return;
  told.add(path);
  log.warn(
    "keys and configuration are taken from {path}/.ssh ($HOME): {insteadOf}/.ssh, where ssh looks, has none",
    { path, insteadOf },
  );
}

/** Holds keys or a configuration. */
function isFurnished(home: string): boolean {
  try {
    return [...Deno.readDirSync(`${home}/.ssh`)].some(({ name }) => /^(config$|id_)/.test(name));
  } catch {
    // What cannot be looked into is of no use either.
    return false;
  }
}

function isSame(one: string, other: string): boolean {
  try {
    return one === other || Deno.realPathSync(one) === Deno.realPathSync(other);
  } catch {
    return false;
  }
}
