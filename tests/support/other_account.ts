/** This process for a moment as an ordinary account: what only others may read is closed to it. */
import process from "node:process";
import type { Transport } from "../../src/transport/transport.ts";
import { ORDINARY_UID } from "./account_transport.ts";

/** Needs root: `testWith(["root"], …)`. What the block starts or writes belongs to the account. */
export async function asOrdinaryAccount<T>(act: () => Promise<T>): Promise<T> {
  process.seteuid?.(ORDINARY_UID);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

/** A node on this machine that stays root's; its shell must have been started before. */
export function startingAsRoot(inner: Transport): Transport {
  return {
    endpoint: inner.endpoint,
    exec: (command, options) => inner.exec(command, options),
    wait: (command, options) => inner.wait(command, options),
    open(command, options) {
      const account = process.geteuid?.() ?? 0;
      process.seteuid?.(0);
      try {
        // The process is started before anything is waited for.
        return inner.open(command, options);
      } finally {
        process.seteuid?.(account);
      }
    },
    terminal: (screen, options) => inner.terminal(screen, options),
    dial: (target, options) => inner.dial(target, options),
    get stats() {
      return inner.stats;
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

/** Lets the account read and write all that is there now. */
export function openToOthers(folder: string): void {
  new Deno.Command("chmod", { args: ["-R", "a+rwX", folder] }).outputSync();
}
