/** One sync of one folder on one node, over one channel. */
import type { Conversation } from "./conversation.ts";
import { comparePaths, type Entry, foldersAbove, sameEntry } from "./entry.ts";
import { isUnhashed, type SourceEntry } from "./hash.ts";
import { DamagedManifest } from "./manifest_cache.ts";
import { judge, keepOf, keepStamp, refuseDrift, tellOthers } from "./drift.ts";
import { tellPruned } from "./kept.ts";
import { keepLock } from "./lock_heartbeat.ts";
import {
  factsOf,
  inPieces,
  listOf,
  type ManifestText,
  pathsOf,
  writeManifest,
} from "./manifest.ts";
import { type NodeSyncOptions, readState, startNodeSync } from "./node_state.ts";
import { packEdits } from "./edits.ts";
import { FrameWriter, GaveUp } from "./frames.ts";
import { type Packed, packEntries } from "./pack.ts";
import { ProgressMeter } from "./progress.ts";
import { planReuse, type Reuse } from "./reuse.ts";
import { Block, COMPRESSIONS, TREE } from "./shared_pack.ts";
import type { Plan } from "./plan.ts";
import { recordFiles, recordOf } from "./record.ts";
import { refuseLargeDelete, refuseWithoutSpace } from "./preflight.ts";
import { problemOf } from "./apply_problem.ts";
import type { Source } from "./source.ts";
import { SEAL_BYTES } from "./stream_sum.ts";
import type { SyncOptions } from "./sync.ts";
import { type Pieces, TarWriter } from "./tar_writer.ts";

export interface ApplyOptions extends NodeSyncOptions, Omit<SyncOptions, "source" | "signal"> {
  readonly source: Source;
  /** Hears, while the node puts it in its place, what was read and what it will hold. */
  readonly sent?: (sent: Sent) => void;
}

export interface Applied extends Sent {
  readonly plan: Plan<SourceEntry>;
}

export interface Sent {
  /** Of files that changed while they were sent the node keeps what it had. */
  readonly packed: Packed;
  /** What the node has now, sorted by path. */
  readonly record: readonly Entry[];
  readonly manifest: ManifestText;
}

const encoder = new TextEncoder();

/** @throws {GridError} `sync`, `conflict`, `workspace` or a transport code */
export async function applySync(options: ApplyOptions): Promise<Applied> {
  try {
    return await applyOnce(options, { isReusing: true });
  } catch (error) {
    if (error instanceof DamagedManifest) {
      return await applySync({ ...options, remembered: undefined });
    }
    if (!(error instanceof BaseChanged)) throw error;
    return await applyOnce(options, { isReusing: false });
  }
}

/** What lay on the node, and something was to be made of, was changed meanwhile; nothing was done. */
class BaseChanged extends Error {
  override readonly name = "BaseChanged";
}

async function applyOnce(
  options: ApplyOptions,
  { isReusing }: { readonly isReusing: boolean },
): Promise<Applied> {
  await using talk = await startNodeSync(options);
  // The node looks at what it has meanwhile.
  void options.remembered?.entries;
  const hashing = options.source.isChanged ? options.source.hashed() : undefined;
  hashing?.catch(() => {});
  const state = await readState(talk, options);
  options.phase?.("state told");
  await using _lease = keepLock(options);
  const judged = await judge(talk, { ...options, state });
  const { known, wanted, isUnread, others, isThere } = judged;
  let { plan } = judged;
  if (state.verdict === "same" && isNothingToDo(plan)) {
    const packed = { sent: [], torn: [], bytes: 0 };
    const record = recordOf({ ...options, wanted, known, packed, isUnread, isThere });
    const manifest = writeManifest(record);
    if (manifest.digest === state.digest) {
      await say(talk, "stop");
      return { plan, packed, record, manifest };
    }
  }
  refuseLargeDelete(plan, { known, wanted, folder: options.source.folder, ...options });
  const { onDrift = "backup" } = options;
  refuseDrift([...others].toSorted(comparePaths), { ...options, onDrift });
  const stay = onDrift === "keep" ? others : new Set<string>();
  if (stay.size > 0) plan = { ...plan, send: plan.send.filter((entry) => !stay.has(entry.path)) };
  const keep = keepOf(plan, others);
  const reuse = isReusing
    ? await planReuse(talk, { ...options, ...judged, plan, state, folder: options.source.folder })
    : { send: plan.send, edits: [], taken: [] };
  refuseWithoutSpace([...reuse.send, ...reuse.edits.map((edit) => edit.entry)], {
    freeBytes: state.freeBytes,
    ...options,
  });
  options.phase?.("planned");
  const stamp = keepStamp();
  tellOthers({ ...options, stay, keep, stamp });
  return await send(talk, {
    ...options,
    wanted,
    plan,
    known,
    isUnread,
    isThere,
    stay,
    keep,
    stamp,
    reuse,
    can: state.can,
    canPatch: state.can.has("patch") && stay.size === 0 && state.manifest !== undefined &&
      state.pending.length === 0,
  });
}

interface SendOptions extends ApplyOptions {
  /** The source, sorted by path. */
  readonly wanted: readonly SourceEntry[];
  readonly plan: Plan<SourceEntry>;
  readonly known: readonly Entry[];
  readonly isUnread: (path: string) => boolean;
  readonly isThere: (entry: Entry) => boolean;
  /** Of others, and left as they are. */
  readonly stay: ReadonlySet<string>;
  /** Of others, and moved aside first. */
  readonly keep: readonly string[];
  /** Name of the folder that they go to. */
  readonly stamp: string;
  readonly reuse: Reuse;
  readonly can: ReadonlySet<string>;
  readonly canPatch: boolean;
}

async function send(talk: Conversation, options: SendOptions): Promise<Applied> {
  const sent = await sendArchive(talk, options).catch(async (error) => {
    options.signal.throwIfAborted();
    // A node that gives up says why before it stops listening.
    const line = error instanceof GaveUp ? error.line : await talk.line().catch(() => "");
    throw line.startsWith("failed ") ? await refusal(talk, { ...options, line }) : error;
  });
  options.phase?.("sent");
  options.sent?.(sent);
  const line = await talk.line();
  options.phase?.("applied");
  if (!/^finished \d{1,9}$/.test(line)) throw await refusal(talk, { ...options, line });
  tellPruned(line, options);
  return { plan: options.plan, ...sent };
}

async function refusal(
  talk: Conversation,
  { line, ...where }: SendOptions & { readonly line: string },
): Promise<Error> {
  const words = await talk.rest();
  return line === "failed base" ? new BaseChanged(words) : problemOf(line, words, where);
}

/** First what other nodes may lack too, then what concerns this one alone. */
async function sendArchive(
  talk: Conversation,
  options: SendOptions,
): Promise<Sent> {
  const { plan, source, reuse, can } = options;
  await say(talk, "go");
  const frames = new FrameWriter(talk, {
    compression: COMPRESSIONS.find((way) => can.has(way)),
    canRest: can.has("seal"),
  });
  const pack = source.packs.packOf(reuse.send);
  const { node } = options.target;
  const meter = new ProgressMeter({ node, entries: reuse.send, tell: options.progress });
  for await (const block of pack.read()) {
    await frames.block(block);
    meter.took({ bytes: block.bytes.length, files: block.files });
  }
  const sum = pack.sum();
  const archive = new TarWriter(async (bytes) => {
    sum.update(bytes);
    await frames.block(new Block(bytes));
  });
  const packed = await packRest(pack.packed, { ...options, archive });
  const { record, manifest } = await finalRecord(packed, options);
  const files = packed.sent.filter((entry) => entry.type === "file");
  const lists: Record<string, string | Pieces> = {
    "sent": () => pathsOf(files),
    "sizes": () => inPieces(files, (it) => `${it.size}\n`),
    "torn": listOf(packed.torn.map((it) => it.path)),
    "clear": listOf(plan.clear),
    "clear-folders": listOf(plan.clearFolders),
    "gone": listOf(plan.remove),
    "gone-folders": listOf(plan.removeFolders),
    "parents": listOf(parentsOf(plan)),
    "keep": listOf(options.keep),
    "stamp": `${options.stamp}\n`,
    ...packed.lists,
    ...under("record/", recordFiles({ ...options, record, packed, manifest })),
    "record/also": alsoOf(options.known, record),
    "next": `${manifest.digest}\n`,
  };
  for (const [path, text] of Object.entries(lists)) await archive.text(path, text);
  await archive.last("seal", { size: SEAL_BYTES, make: (zeros) => sum.seal(zeros) });
  await archive.end();
  await frames.end();
  await talk.end();
  return { packed, record, manifest };
}

interface PackedForNode extends Packed {
  readonly lists: Readonly<Record<string, string>>;
}

/** What is made there; what changed while it was looked at is sent whole after all. */
async function packRest(
  packed: Packed,
  { reuse, source, ...options }: SendOptions & { readonly archive: TarWriter },
): Promise<PackedForNode> {
  const edited = await packEdits(reuse.edits, { ...options, source: source.folder });
  const late = await packEntries(edited.stale, {
    ...options,
    source: source.folder,
    prefix: TREE,
  });
  const sent = [...packed.sent, ...reuse.taken, ...edited.made, ...late.sent];
  return {
    sent: edited.made.length + late.sent.length + reuse.taken.length === 0
      ? sent
      : sent.toSorted((a, b) => comparePaths(a.path, b.path)),
    torn: [...packed.torn, ...late.torn],
    bytes: packed.bytes + edited.bytes + late.bytes,
    lists: edited.lists,
  };
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

/** What may lie there until this sync is through, although the record does not name just that. */
function alsoOf(known: readonly Entry[], record: readonly Entry[]): string {
  if (known.length === 0) return "";
  const others: Entry[] = [];
  let at = 0;
  for (const entry of known) {
    // Both are sorted by path, and mostly the very same.
    if (record[at + 1] === entry) at++;
    if (record[at] === entry) continue;
    while (at < record.length && comparePaths(record[at]!.path, entry.path) < 0) at++;
    if (!isSame(entry, record[at])) others.push(entry);
  }
  return others.map((entry) => `${factsOf(entry)}\0${listOf([entry.path])}`).join("");
}

function isSame(entry: Entry, other: Entry | undefined): boolean {
  return entry.path === other?.path && sameEntry(entry, other);
}

function under<T>(folder: string, files: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [folder + name, text]));
}

async function say(talk: Conversation, words: string): Promise<void> {
  await talk.write(encoder.encode(`${words}\n`));
}
