/** Who brought the code that lies in a folder on a node: written there, and read from there with care. */
import { formatDuration } from "../core/duration.ts";

export interface TreeOwner {
  /** Account on the machine that synced. */
  readonly account: string;
  readonly machine: string;
  /** Absolute project folder on that machine. */
  readonly folder: string;
  readonly run: string;
  /** Milliseconds since the epoch, by that machine's clock. */
  readonly at: number;
  /** Of the git repository there. */
  readonly commit?: string | undefined;
  /** The files were not all as in that commit. */
  readonly changed?: boolean | undefined;
}

const MOST_CHARACTERS = 4096;
// deno-lint-ignore no-control-regex -- what a node says may hold anything
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g;

/** One line. */
export function writeOwner(owner: TreeOwner): string {
  return JSON.stringify(owner);
}

/** Undefined for what no Grid wrote. */
export function readOwner(line: string): TreeOwner | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const facts = new Map<string, unknown>(Object.entries(value));
  const word = (name: string) => {
    const text = facts.get(name);
    return typeof text === "string" && text.length <= MOST_CHARACTERS
      ? text.replaceAll(CONTROLS, "")
      : undefined;
  };
  const [account, machine, folder, run] = ["account", "machine", "folder", "run"].map(word);
  const at = facts.get("at");
  if (!account || !machine || !folder || !run || typeof at !== "number") return undefined;
  const commit = word("commit");
  return {
    account,
    machine,
    folder,
    run,
    at,
    ...(commit !== undefined && { commit }),
    ...(facts.get("changed") === true && { changed: true }),
  };
}

/** `ann@laptop, from /home/ann/app (commit 1a2b3c4 with changes), run 2026…, 5m ago`. */
export function ownerWords(owner: TreeOwner | undefined, nowMs: number): string {
  if (owner === undefined) return "somebody who left no name";
  const { account, machine, folder, run, at, commit, changed } = owner;
  const code = commit === undefined
    ? ""
    : ` (commit ${commit.slice(0, 7)}${changed ? " with changes" : ""})`;
  // Clocks of two machines may differ.
  const ago = nowMs - at < 1000 ? "just now" : `${formatDuration(nowMs - at)} ago`;
  return `${account}@${machine}, from ${folder}${code}, run ${run}, ${ago}`;
}

type OwnerPlace = Pick<TreeOwner, "account" | "machine">;

/** Whether two records name the same person at the same machine. */
export function isSamePlace(a: OwnerPlace, b: OwnerPlace): boolean {
  return a.account === b.account && a.machine === b.machine;
}
