/** This process for a moment as an ordinary account: what only others may read is closed to it. */
import process from "node:process";
import { ORDINARY_UID } from "./account_transport.ts";

/** Needs root: `testWith(["root"], …)`. What the block starts or writes belongs to the account. */
export async function asOrdinaryAccount<T>(act: () => Promise<T>): Promise<T> {
  const home = Deno.env.get("HOME") ?? "/";
  // Programs start in the home folder, and ours is closed to the account.
  Deno.env.set("HOME", "/");
  process.seteuid?.(ORDINARY_UID);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
    Deno.env.set("HOME", home);
  }
}

/** Lets the account read and write all that is there now. */
export function openToOthers(folder: string): void {
  new Deno.Command("chmod", { args: ["-R", "a+rwX", folder] }).outputSync();
}
