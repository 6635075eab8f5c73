/** The data sets that a node keeps: what they are, who uses them, and what is to go. */
import { randomWord } from "../core/ids.ts";
import { quote } from "../core/shell.ts";
import type { SyncTarget } from "../sync/sync.ts";
import { nodeProgram } from "../transport/node_program.ts";

export interface KeptSet {
  /** SHA-256 in hex. */
  readonly digest: string;
  /** False: it was damaged, and is mended by the next run that needs it. */
  readonly isWhole: boolean;
  readonly isPinned: boolean;
  /** A job that was given it still runs. */
  readonly isBusy: boolean;
  /** Since all of it was there. */
  readonly ageSeconds: number;
  readonly files: number;
  readonly bytes: number;
  /** Account and machine that brought it. */
  readonly owner: string;
  readonly name: string;
  /** Where it lay there. */
  readonly from: string;
  readonly users: readonly DataUser[];
}

export interface DataUser {
  /** Folder of a project. */
  readonly folder: string;
  /** Since its last use. */
  readonly agoSeconds: number;
}

export interface KeptOptions {
  readonly target: SyncTarget;
  readonly signal: AbortSignal;
}

export type Removed =
  | { readonly digest: string; readonly kept?: undefined }
  | { readonly digest: string; /** Why, in words that follow "kept". */ readonly kept: string };

/** Large sets are many files. */
const REMOVE_MS = 15 * 60_000;

/** @throws {GridError} a transport code */
export async function keptSets(options: KeptOptions): Promise<readonly KeptSet[]> {
  return parseSets(await call(options, "grid_data_list"));
}

/** Those that were there, by digest. */
export async function pinSet(
  options: KeptOptions & { readonly digest: string; readonly pin: boolean },
): Promise<boolean> {
  const verb = options.pin ? "pin" : "unpin";
  const said = await call(options, `grid_data_${verb} ${quote(options.digest)}`);
  return said.includes(`${verb}ned ${options.digest}`);
}

/** Undefined where there was nothing. */
export async function removeSet(
  options: KeptOptions & { readonly digest: string; readonly force: boolean },
): Promise<Removed | undefined> {
  const how = options.force ? "force" : "plain";
  const said = await call(options, `grid_data_remove ${how} ${quote(options.digest)}`);
  return said.map(parseRemoved).find((it) => it !== undefined);
}

export interface OldSet {
  readonly digest: string;
  readonly bytes: number;
}

/** Removes what neither a pin nor a job keeps and nobody used for so long; with `dryRun` only says which. */
export async function cleanSets(
  options: KeptOptions & { readonly minutes: number; readonly dryRun: boolean },
): Promise<readonly OldSet[]> {
  const said = await call(options, `grid_data_old ${options.minutes}`);
  const old = said.flatMap((line): OldSet[] => {
    const match = /^old ([0-9a-f]{64}) (\d{1,16})$/.exec(line);
    return match ? [{ digest: match[1] ?? "", bytes: Number(match[2]) }] : [];
  });
  if (options.dryRun || old.length === 0) return old;
  const words = old.map(({ digest }) => `grid_data_remove ${options.minutes} ${quote(digest)}`);
  const gone = (await call(options, words.join("; "))).map(parseRemoved);
  return old.filter(({ digest }) =>
    gone.some((it) => it?.digest === digest && it.kept === undefined)
  );
}

function parseRemoved(line: string): Removed | undefined {
  const [, word, digest = "", kept] =
    /^(kept|removed) ([0-9a-f]{64})(?: (.{1,200}))?$/.exec(line) ??
      [];
  if (word === undefined) return undefined;
  return word === "kept" ? { digest, kept: kept ?? "it is in use" } : { digest };
}

/** Exported for its test. What is no such line is passed over. */
export function parseSets(lines: readonly string[]): KeptSet[] {
  const sets: KeptSet[] = [];
  let about: string[] = [];
  let users: DataUser[] = [];
  let head: RegExpExecArray | null = null;
  for (const line of lines) {
    const begun = /^set ([0-9a-f]{64}) (whole|broken) (pinned|-) (busy|-) (\d{1,12})$/.exec(line);
    if (begun) [head, about, users] = [begun, [], []];
    else if (line.startsWith("about ")) about.push(harmless(line.slice("about ".length)));
    else if (line === "end" && head !== null) {
      const [, digest = "", state, pin, busy, age] = head;
      const [facts = "", owner = "", name = "", from = ""] = about;
      const [files, bytes] = /^(\d{1,12}) (\d{1,16})$/.exec(facts)?.slice(1) ?? ["0", "0"];
      sets.push({
        digest,
        isWhole: state === "whole",
        isPinned: pin === "pinned",
        isBusy: busy === "busy",
        ageSeconds: Number(age),
        files: Number(files),
        bytes: Number(bytes),
        owner,
        name,
        from,
        users,
      });
      head = null;
    } else {
      const user = /^user (\d{1,12}) (.{0,4096})$/.exec(line);
      if (user) users.push({ folder: harmless(user[2] ?? ""), agoSeconds: Number(user[1]) });
    }
  }
  return sets;
}

function harmless(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "?");
}

async function call({ target, signal }: KeptOptions, words: string): Promise<readonly string[]> {
  const { stdout } = await target.transport.exec(
    `grid_root=${quote(target.root)} grid_random=${randomWord(12)}; ${words}`,
    { library: nodeProgram("data_list.sh", import.meta.url), signal, timeoutMs: REMOVE_MS },
  );
  return stdout.split("\n");
}
