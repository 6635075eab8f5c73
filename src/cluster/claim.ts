/**
 * What jobs and runners say on a node about what they hold and wait for there: the words of one claim, and
 * how a probe tells them. The files themselves are described in `claims.sh`. What an account says of itself
 * is believed, as far as it has the right form; what it says of others there is no word for.
 */

/** A job, or a runner on behalf of jobs to come, that is on a node. */
export interface Claim {
  /** `hold`: a runner holds GPUs for jobs that are still to start. */
  readonly kind: "job" | "hold";
  /** It has only written that it wants its GPUs, and may let go of them in a moment. */
  readonly isTrying: boolean;
  /** Of the account that asks. */
  readonly isOwn: boolean;
  /** Name of the account, or its number. */
  readonly account: string;
  /** How long it has been there, by the node's own clock. */
  readonly ageMs: number;
  /** How long such a job took in earlier runs; undefined where nobody knows. */
  readonly lastsMs: number | undefined;
  /** The run's id. */
  readonly run: string;
  /** The step's id. */
  readonly step: string;
  /** Name of the project's folder. */
  readonly project: string;
  /** A random word of the runner. */
  readonly owner: string;
  /** Claims of one account and group share their GPUs. */
  readonly group: string;
  /** It shares its GPUs with others that say so. */
  readonly isShared: boolean;
  /** Which of several nodes that are folders of one machine; empty where there is only one. */
  readonly place: string;
  /** By `claimKey`. */
  readonly gpus: readonly string[];
}

/** What a runner has given to a node, whether or not it has started there. */
export interface Given {
  /** Of the account that asks. */
  readonly isOwn: boolean;
  /** Name of the account, or its number. */
  readonly account: string;
  /** How long ago, by the node's own clock. */
  readonly ageMs: number;
  /** Name of the project's folder. */
  readonly project: string;
  /** A random word of the runner. */
  readonly owner: string;
  /** As of a claim. */
  readonly place: string;
  /** How many jobs. */
  readonly count: number;
}

/** Somebody who waits for GPUs of a node. */
export interface Waiting {
  /** Of the account that asks. */
  readonly isOwn: boolean;
  /** Name of the account, or its number. */
  readonly account: string;
  /** How long it has waited, by the node's own clock. */
  readonly ageMs: number;
  /** As of a claim. */
  readonly lastsMs: number | undefined;
  /** The run's id. */
  readonly run: string;
  /** The step's id. */
  readonly step: string;
  /** Name of the project's folder. */
  readonly project: string;
  /** A random word of the runner. */
  readonly owner: string;
  /** Unique within its owner. */
  readonly id: string;
  /** How many. */
  readonly gpus: number;
  /** Of each. */
  readonly minFreeVramBytes: number | undefined;
  /** Part of the model's name, in small letters. */
  readonly model: string | undefined;
}

/** All that is claimed on a node, the oldest first. */
export interface NodeWork {
  /** Jobs there, and runners that hold GPUs. */
  readonly claims: readonly Claim[];
  /** What runners have given to it. */
  readonly given: readonly Given[];
  /** Who waits, in turn. */
  readonly line: readonly Waiting[];
  /** Else the node could not tell all of it: then nobody knows what is held there. */
  readonly isWhole: boolean;
}

/** What a claim's text may hold; more of it is cut. */
const LONGEST_WORD = 120;

/** A word of a claim for the words of a run: no blank, nothing that a shell reads. */
export function claimWord(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed()).replaceAll(
    /[!'()*~]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  ).slice(0, LONGEST_WORD).replace(/%[0-9A-F]?$/, "");
  return encoded === "" || encoded === "-" ? "%2D" : encoded;
}

/** What a word of a claim stands for; empty where there is none. */
export function wordOf(text: string | undefined): string {
  if (text === undefined || text === "-") return "";
  try {
    return decodeURIComponent(text);
  } catch {
    // Cut in the middle of a character, or made up.
    return text;
  }
}

export function parseWork(lines: readonly string[]): NodeWork {
  const rows = (name: string, width: number) =>
    lines.filter((line) => line.startsWith(name))
      .map((line) => line.split(" ").slice(1)).filter((row) => row.length === width);
  const byAge = <T extends { readonly ageMs: number }>(list: readonly T[]) =>
    list.toSorted((a, b) => b.ageMs - a.ageMs);
  return {
    claims: byAge(rows("@claim ", 14).flatMap((row) => claimOf(row) ?? [])),
    given: byAge(rows("@placed ", 7).map(givenOf)),
    line: byAge(rows("@wait ", 12).flatMap((row) => waitingOf(row) ?? [])),
    isWhole: lines.includes("@claims end"),
  };
}

function claimOf(row: readonly string[]): Claim | undefined {
  const [
    kind,
    state,
    own,
    account = "",
    age,
    lasts,
    run,
    step,
    project,
    owner,
    group,
    share,
    place,
    gpus,
  ] = row;
  if (kind !== "job" && kind !== "hold") return undefined;
  return {
    kind,
    isTrying: state !== "held",
    isOwn: own === "yes",
    account,
    ageMs: msOf(age) ?? 0,
    lastsMs: msOf(lasts),
    run: wordOf(run),
    step: wordOf(step),
    project: wordOf(project),
    owner: wordOf(owner),
    group: wordOf(group),
    isShared: share === "yes",
    place: wordOf(place),
    gpus: gpus === undefined || gpus === "-" ? [] : gpus.split(","),
  };
}

function givenOf(row: readonly string[]): Given {
  const [own, account = "", age, project, owner, place, count] = row;
  return {
    isOwn: own === "yes",
    account,
    ageMs: msOf(age) ?? 0,
    project: wordOf(project),
    owner: wordOf(owner),
    place: wordOf(place),
    count: Math.min(1000, Math.floor(numberOf(count) ?? 0)),
  };
}

function waitingOf(row: readonly string[]): Waiting | undefined {
  const [own, account = "", age, lasts, run, step, project, owner, id, count, vram, model] = row;
  const gpus = Math.floor(numberOf(count) ?? 0);
  if (gpus < 1) return undefined;
  return {
    isOwn: own === "yes",
    account,
    ageMs: msOf(age) ?? 0,
    lastsMs: msOf(lasts),
    run: wordOf(run),
    step: wordOf(step),
    project: wordOf(project),
    owner: wordOf(owner),
    id: wordOf(id),
    gpus,
    minFreeVramBytes: numberOf(vram),
    model: wordOf(model) || undefined,
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(\.\d*)?$/.test(text) ? Number(text) : undefined;
}

function msOf(text: string | undefined): number | undefined {
  const seconds = numberOf(text);
  return seconds === undefined ? undefined : seconds * 1000;
}
