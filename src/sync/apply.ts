/** One sync of one folder on one node, over one channel. */
import type { Conversation } from "./conversation.ts";
import { comparePaths, type Entry, foldersAbove, sameEntry } from "./entry.ts";
import { isUnhashed, type SourceEntry } from "./hash.ts";
import { judge, keepOf, keepStamp, refuseDrift, tellOthers } from "./drift.ts";
import { keepLease } from "./lease.ts";
import { listOf, type ManifestText, writeManifest } from "./manifest.ts";
import { type NodeSyncOptions, readState, startNodeSync } from "./node_state.ts";
import { type Packed, packEntries } from "./pack.ts";
import type { Plan } from "./plan.ts";
import { recordFiles, recordOf } from "./record.ts";
import { refuseLargeDelete, refuseWithoutSpace } from "./preflight.ts";
import { problemOf } from "./problem.ts";
import type { Source } from "./source.ts";
import type { SyncOptions } from "./sync.ts";
import { TarWriter } from "./tar_writer.ts";

export interface ApplyOptions extends NodeSyncOptions, Omit<SyncOptions, "source" | "signal"> {
  readonly source: Source;
}

export interface Applied {
  readonly plan: Plan<SourceEntry>;
  /** Of files that changed while they were sent the node keeps what it had. */
  readonly packed: Packed;
  /** What the node has now, sorted by path. */
  readonly record: readonly Entry[];
  readonly manifest: ManifestText;
}

const encoder = new TextEncoder();

/** @throws {GridError} `sync`, `conflict`, `workspace` or a transport code */
export async function applySync(options: ApplyOptions): Promise<Applied> {
  await using talk = await startNodeSync(options);
  const state = await readState(talk, options);
  await using _lease = keepLease(options);
  const judged = await judge(talk, { ...options, state });
  const { known, wanted, isUnread, others } = judged;
  let { plan } = judged;
  if (state.verdict === "same" && isNothingToDo(plan)) {
    const packed = { sent: [], torn: [], sum: "", bytes: 0 };
    const record = recordOf({ ...options, wanted, known, packed, isUnread });
    const manifest = writeManifest(record);
    if (manifest.digest === state.digest) {
      await say(talk, "stop");
      return { plan, packed, record, manifest };
    }
  }
  refuseLargeDelete(plan, { known, wanted, folder: options.source.folder, ...options });
  refuseWithoutSpace(plan, { freeBytes: state.freeBytes, ...options });
  const { onDrift = "backup" } = options;
  refuseDrift([...others].toSorted(comparePaths), { ...options, onDrift });
  const stay = onDrift === "keep" ? others : new Set<string>();
  if (stay.size > 0) plan = { ...plan, send: plan.send.filter((entry) => !stay.has(entry.path)) };
  const keep = keepOf(plan, others);
  const stamp = keepStamp();
  tellOthers({ ...options, stay, keep, stamp });
  return await send(talk, {
    ...options,
    wanted,
    plan,
    known,
    isUnread,
    stay,
    keep,
    stamp,
    canPatch: state.canPatch && stay.size === 0,
  });
}

interface SendOptions extends ApplyOptions {
  /** The source, sorted by path. */
  readonly wanted: readonly SourceEntry[];
  readonly plan: Plan<SourceEntry>;
  readonly known: readonly Entry[];
  readonly isUnread: (path: string) => boolean;
  /** Of others, and left as they are. */
  readonly stay: ReadonlySet<string>;
  /** Of others, and moved aside first. */
  readonly keep: readonly string[];
  /** Name of the folder that they go to. */
  readonly stamp: string;
  readonly canPatch: boolean;
}

async function send(talk: Conversation, options: SendOptions): Promise<Applied> {
  const sent = await sendArchive(talk, options).catch(async (error) => {
    options.signal.throwIfAborted();
    // A node that gives up says why before it stops listening.
    const line = await talk.line().catch(() => "");
    throw line.startsWith("failed ") ? problemOf(line, await talk.rest(), options) : error;
  });
  const line = await talk.line();
  if (line !== "finished") throw problemOf(line, await talk.rest(), options);
  return { plan: options.plan, ...sent };
}

async function sendArchive(
  talk: Conversation,
  options: SendOptions,
): Promise<Pick<Applied, "packed" | "record" | "manifest">> {
  const { plan } = options;
  await say(talk, "go");
  const archive = new TarWriter((block) => talk.write(block));
  const packed = await packEntries(plan.send, {
    ...options,
    source: options.source.folder,
    prefix: "tree/",
    archive,
  });
  const { record, manifest } = await finalRecord(packed, options);
  const lists: Record<string, string> = {
    "sent": listOf(packed.sent.filter((entry) => entry.type === "file").map((it) => it.path)),
    "sum": `${packed.sum}\n`,
    "torn": listOf(packed.torn.map((it) => it.path)),
    "clear": listOf(plan.clear),
    "clear-folders": listOf(plan.clearFolders),
    "gone": listOf(plan.remove),
    "gone-folders": listOf(plan.removeFolders),
    "parents": listOf(parentsOf(plan)),
    "keep": listOf(options.keep),
    "stamp": `${options.stamp}\n`,
    ...under("record/", recordFiles({ ...options, record, packed, manifest })),
    "record/also": alsoOf(options.known, record),
    "next": `${manifest.digest}\n`,
    // Last: without it the archive was cut.
    "complete": "",
  };
  for (const [path, text] of Object.entries(lists)) await archive.text(path, text);
  await archive.end();
  await talk.end();
  return { packed, record, manifest };
}

/** Mostly exactly what was planned, and then the manifest is there already. */
async function finalRecord(packed: Packed, options: SendOptions) {
  const { plan, source, wanted } = options;
  const isAllSeen = !source.skipped.some((it) => it.isUnread);
  const isAsPlanned = options.delete && isAllSeen && options.stay.size === 0 &&
    packed.sent.length === plan.send.length &&
    packed.sent.every((entry, at) => sameEntry(entry, plan.send[at] ?? entry));
  if (isAsPlanned && !wanted.some(isUnhashed)) {
    const { entries, manifest } = await source.hashed();
    if (entries === wanted) return { record: wanted, manifest };
  }
  const record = recordOf({ ...options, packed });
  return { record, manifest: writeManifest(record) };
}

function isNothingToDo(plan: Plan): boolean {
  return [plan.send, plan.clear, plan.clearFolders, plan.remove, plan.removeFolders]
    .every((list) => list.length === 0);
}

function parentsOf(plan: Plan): string[] {
  const touched = [...plan.clear, ...plan.clearFolders, ...plan.remove, ...plan.removeFolders];
  const parents = new Set(touched.flatMap(foldersAbove));
  return [...parents].toSorted(comparePaths);
}

/** What may lie there until this sync is through, although the record does not name it. */
function alsoOf(known: readonly Entry[], record: readonly Entry[]): string {
  const recorded = new Set(record.map((entry) => entry.path));
  return known.filter((entry) => !recorded.has(entry.path))
    .map((entry) => `${entry.path}${entry.type === "folder" ? "/" : ""}\0`).join("");
}

function under(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [folder + name, text]));
}

async function say(talk: Conversation, words: string): Promise<void> {
  await talk.write(encoder.encode(`${words}\n`));
}
