/**
 * Which project a folder here is, as nodes know it: the folder's path, the account, and the address of
 * its git repository or, without one, the machine. So each clone is a project of its own, and the
 * checkouts of a CI job, always at one path though on ever new machines, are one. A project that was brought
 * to the node that runs it is the one that it came from.
 */
import { digestOf } from "../core/digest.ts";
import { hostname } from "node:os";
import { accountName } from "../core/account.ts";
import { remoteOf } from "./git_facts.ts";
import { originOf } from "./origin.ts";

export interface ProjectIdentity {
  /** Word for nodes. */
  readonly id: string;
  readonly account: string;
  readonly machine: string;
  /** Absolute. */
  readonly folder: string;
}

export function projectIdentity(folder: string): ProjectIdentity {
  const origin = originOf(folder);
  if (origin !== undefined) {
    const { id, account, machine, folder } = origin;
    return { id, account, machine, folder };
  }
  const account = accountName();
  const machine = hostname() || "unknown";
  const home = remoteOf(folder) ?? `machine ${machineId() ?? machine}`;
  const id = digestOf(JSON.stringify([home, account, folder])).slice(0, 8);
  return { id, account, machine, folder };
}

/** See machine-id(5). */
function machineId(): string | undefined {
  try {
    return Deno.readTextFileSync("/etc/machine-id").trim() || undefined;
  } catch {
    return undefined;
  }
}
