/**
 * Which project a folder here is, as nodes know it: the folder's path, the account, and the address of
 * its git repository or, without one, the machine. So each clone is a project of its own, and the
 * checkouts of a CI job, always at one path though on ever new machines, are one. A project that was brought
 * to the node that runs it is the one that it came from; and one that has had runs stays what it is in its
 * folder, also where its repository is given another address.
 */
import { join } from "node:path";
import { digestOf } from "../core/digest.ts";
import { hostname } from "node:os";
import { accountName } from "../core/account.ts";
import { exists } from "../core/exists.ts";
import { randomWord } from "../core/ids.ts";
import { PRIVATE_FILE } from "../core/private_modes.ts";
import { remoteOf } from "./git_facts.ts";
import { originOf } from "./origin.ts";

export interface ProjectIdentity {
  /** Word for nodes. */
  readonly id: string;
  /** What it was, the last first, before its folder was renamed: nodes may still know it as that. */
  readonly former: readonly string[];
  readonly account: string;
  readonly machine: string;
  /** Absolute. */
  readonly folder: string;
}

/** What the project was when it last had a run; `on` is the machine. */
interface ProjectRecord extends Pick<ProjectIdentity, "id" | "former" | "account" | "folder"> {
  readonly on: string;
}

/** From the project; goes along where its folder is renamed. */
const RECORD_FILE = ".grid/project.json";
/** Of former names; nobody renames a folder more often between two runs of all its steps. */
const MOST_FORMER = 5;

export function projectIdentity(folder: string): ProjectIdentity {
  const origin = originOf(folder);
  if (origin !== undefined) {
    const { id, account, machine, folder } = origin;
    return { id, former: [], account, machine, folder };
  }
  const account = accountName();
  const machine = hostname() || "unknown";
  const record = recordOf(folder);
  const isOurs = record?.account === account && record.on === thisMachine();
  if (isOurs && record.folder === folder) {
    return { id: record.id, former: record.former, account, machine, folder };
  }
  const home = remoteOf(folder) ?? `machine ${thisMachine()}`;
  const id = digestOf(JSON.stringify([home, account, folder])).slice(0, 8);
  // Where the other folder is still there, this one is a copy of it.
  const former = isOurs && !exists(record.folder)
    ? [record.id, ...record.former].filter((each) => each !== id).slice(0, MOST_FORMER)
    : [];
  return { id, former, account, machine, folder };
}

/** For the runs to come, wherever the folder is by then. Where it cannot be written they do without. */
export function rememberProject({ id, former, account, folder }: ProjectIdentity): void {
  if (originOf(folder) !== undefined) return;
  const record: ProjectRecord = { id, former, account, on: thisMachine(), folder };
  const text = `${JSON.stringify(record)}\n`;
  const path = join(folder, RECORD_FILE);
  if (readText(path) === text) return;
  const draft = `${path}.${randomWord(8)}.tmp`;
  try {
    Deno.writeTextFileSync(draft, text, { mode: PRIVATE_FILE, createNew: true });
    Deno.renameSync(draft, path);
  } catch {
    // What keeps it from being written, such as a full disk, is told by what the run itself keeps there.
  }
}

function recordOf(folder: string): ProjectRecord | undefined {
  try {
    const { id, former, account, on, folder: at } = JSON.parse(
      readText(join(folder, RECORD_FILE)) ?? "{}",
    );
    const words = [id, ...former];
    const isWhole = words.every((word) => /^[0-9a-f]{8}$/.test(word)) && typeof at === "string";
    return isWhole ? { id, former, account, on, folder: at } : undefined;
  } catch {
    return undefined;
  }
}

function thisMachine(): string {
  return machineId() ?? (hostname() || "unknown");
}

/** See machine-id(5). */
function machineId(): string | undefined {
  return readText("/etc/machine-id")?.trim() || undefined;
}

function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
