/** Opens the conversation about one folder on one node: the lock is taken, and what is there is known. */
import type { CheckAnswer } from "./check.ts";
import { formatSize } from "../core/size.ts";
import { getLogger } from "../core/log.ts";
import { Conversation, Preparation } from "./conversation.ts";
import type { Entry } from "./entry.ts";
import { type Manifest, readEntry, readManifest } from "./manifest.ts";
import { KEEP_DAYS } from "./kept.ts";
import type { Place } from "./place.ts";
import { problemOf } from "./apply_problem.ts";
import { compareRows, type RowComparison } from "./rows.ts";
import type { SyncTarget } from "./sync.ts";
import { folderLock } from "./folder_lock.ts";
import { nodePrelude, nodeProgram } from "../transport/node_program.ts";

export interface NodeSyncOptions {
  readonly target: SyncTarget;
  readonly place: Place;
  /** What the node said a moment ago. */
  readonly checked: CheckAnswer;
  /** The manifest that the node said it has, where this machine still knows it. */
  readonly remembered: Manifest | undefined;
  /** Seconds to wait for another sync of the same folder. */
  readonly patienceSeconds: number;
  readonly signal: AbortSignal;
  /** Of `prepareNodeSync`. */
  readonly ahead?: Preparation | undefined;
}

export interface NodeState {
  readonly digest: string;
  readonly verdict: "same" | "changed" | "interrupted";
  readonly freeBytes: number | undefined;
  /** What the node can do, see `tell_state` in `apply.sh`; `partial` where something arrived before a link broke. */
  readonly can: ReadonlySet<string>;
  /** Name of the folder beside its record where it moves things in from. */
  readonly work: string | undefined;
  readonly manifest: Manifest | undefined;
  /** Whether the folder exists. */
  readonly isThere: boolean;
  /** What a sync that broke off brought, or may have left there; sorted by path. */
  readonly pending: readonly Entry[];
  readonly rows: RowComparison;
}

const decoder = new TextDecoder();
/** About 200 bytes for each file: some 250,000 files. */
const MOST_RECORD = { bytes: 48 * 2 ** 20, what: "its record" };
/** Names of what syncs that broke off may have left, each with its facts. */
const MOST_ALSO = 300_000;
const NOTHING: RowComparison = { changed: new Set(), missing: new Set(), displaced: new Set() };

/** Ends the lock when it is disposed of. @throws {GridError} a transport code */
export async function startNodeSync(options: NodeSyncOptions): Promise<Conversation> {
  const { target, place, checked, remembered, signal, ahead } = options;
  const words = [
    place.root,
    place.name,
    place.key,
    checked.isAsLeft ? checked.digest ?? "" : "",
    remembered?.digest ?? "",
    `grid-${Deno.pid}`,
    String(options.patienceSeconds),
    String(KEEP_DAYS),
  ];
  if (ahead?.isFresh) {
    try {
      return await ahead.begin(words);
    } catch (error) {
      signal.throwIfAborted();
      // Its link may have broken while it waited; nothing was done.
      getLogger("sync").debug(`started anew: ${error}`);
    }
  }
  const isBulk = checked.digest === undefined;
  return await Conversation.start(target.transport, { script: script(), words, signal, isBulk });
}

/** Starts the program on the node where it is known that something has to be done, but not yet where. */
export function prepareNodeSync({ transport }: SyncTarget, signal: AbortSignal): Preparation {
  return new Preparation(transport, { script: script(), signal });
}

function script(): string {
  return [nodePrelude(), folderLock(), nodeProgram("apply.sh", import.meta.url)].join("\n");
}

/** @throws {GridError} `sync`, `conflict` or `workspace` */
export async function readState(talk: Conversation, options: NodeSyncOptions): Promise<NodeState> {
  const line = await talk.line();
  const [word, digest = "", verdict = "", free = "", can = "", there = "", next = "", ...sizes] =
    line.split(" ");
  if (word !== "state") throw problemOf(line, await talk.rest(), options);
  const [manifestBytes = 0, recordedBytes = 0, liveBytes = 0, pendingBytes = 0, alsoBytes = 0] =
    sizes.map(Number);
  // All of it together: each is held while the next one comes.
  const all = [manifestBytes, recordedBytes, liveBytes, pendingBytes, alsoBytes];
  if (!(all.reduce((sum, bytes) => sum + bytes, 0) <= MOST_RECORD.bytes)) {
    throw talk.tooMuch(`more than ${formatSize(MOST_RECORD.bytes)} of ${MOST_RECORD.what}`);
  }
  const text = decoder.decode(await talk.bytes(manifestBytes, MOST_RECORD));
  const recorded = decoder.decode(await talk.bytes(recordedBytes, MOST_RECORD));
  const live = decoder.decode(await talk.bytes(liveBytes, MOST_RECORD));
  const pendingText = decoder.decode(await talk.bytes(pendingBytes, MOST_RECORD));
  const alsoText = decoder.decode(await talk.bytes(alsoBytes, MOST_RECORD));
  const also = readAlso(alsoText.split("\0", 2 * MOST_ALSO + 2));
  if (also.length > MOST_ALSO) {
    throw talk.tooMuch(`more than ${MOST_ALSO} names that an earlier sync left`);
  }
  const { remembered } = options;
  const manifest = digest === remembered?.digest ? remembered : readManifest(text, digest);
  const isSame = verdict === "same" || manifest === undefined;
  return {
    digest: manifest === undefined ? "none" : digest,
    verdict: verdict === "same" ? "same" : verdict === "interrupted" ? "interrupted" : "changed",
    can: new Set(can.split("+")),
    work: can.split("+").find((word) => /^work\.\d{1,12}$/.test(word)),
    freeBytes: /^\d+$/.test(free) ? Number(free) * 1024 : undefined,
    manifest,
    isThere: there !== "new",
    pending: [
      ...readManifest(pendingText, next)?.entries ?? [],
      ...also.flatMap((entry) => entry ?? []),
    ],
    rows: isSame ? NOTHING : compareRows(manifest.entries, { recorded, live }),
  };
}

/** Facts and path, again and again; undefined for what is no path. */
function readAlso(words: readonly string[]): (Entry | undefined)[] {
  const entries: (Entry | undefined)[] = [];
  for (let at = 0; at + 1 < words.length; at++) {
    const word = words[at] ?? "";
    const isPair = /^[fld][x-]\d+ /.test(word);
    entries.push(isPair ? readEntry(words[++at] ?? "", word) : entryOfPath(word));
  }
  return entries;
}

/** As earlier versions wrote it: a folder ends in `/`, and nobody knows any more what a file holds. */
function entryOfPath(text: string): Entry | undefined {
  return readEntry(text.replace(/\/$/, ""), text.endsWith("/") ? "d-0 " : "f-0 ");
}
