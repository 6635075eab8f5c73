/** Where commands on this machine start, and what `~` is to them: a service may have no home at all. */
import { userInfo } from "node:os";

export interface LocalHome {
  /** A folder that is there. */
  readonly cwd: string;
  readonly env: { readonly HOME: string };
}

/**
 * `$HOME`, else the account's home of the passwd database, else the folder that Grid was started in. A home
 * that is named and missing stays what `~` means.
 */
export function localHome(
  named: string | undefined = Deno.env.get("HOME"),
  account: string | undefined = accountHome(),
): LocalHome {
  const home = named || account || Deno.cwd();
  return { cwd: isFolder(home) ? home : Deno.cwd(), env: { HOME: home } };
}

function accountHome(): string | undefined {
  try {
    return userInfo().homedir ?? undefined;
  } catch {
    // A uid without an entry, as in many containers.
    return undefined;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    // Missing, or in a folder that must not be looked into.
    return false;
  }
}
