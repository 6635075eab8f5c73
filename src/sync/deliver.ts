/** What a node lacks on its way there, and what it has to know about it. */
import type { Conversation } from "./conversation.ts";
import { comparePaths, type Entry, foldersAbove, sameEntry } from "./entry.ts";
import { isUnhashed, type SourceEntry } from "./hash.ts";
import {
  factsOf,
  inPieces,
  listOf,
  type ManifestText,
  pathsOf,
  writeManifest,
} from "./manifest.ts";
import type { NodeSyncOptions } from "./node_state.ts";
import { packEdits } from "./edits.ts";
import { FrameWriter } from "./frames.ts";
import { type Packed, packEntries } from "./pack.ts";
import { ProgressMeter } from "./progress.ts";
import type { Reuse } from "./reuse.ts";
import { Block, COMPRESSIONS, TREE } from "./shared_pack.ts";
import type { Plan } from "./plan.ts";
import { recordFiles, recordOf } from "./record.ts";
import { problemOf } from "./apply_problem.ts";
import type { Source } from "./source.ts";
import { Stage } from "./stage.ts";
import { SEAL_BYTES } from "./stream_sum.ts";
import type { SyncOptions } from "./sync.ts";
import { type Pieces, TarWriter } from "./tar_writer.ts";

export interface ApplyOptions extends NodeSyncOptions, Omit<SyncOptions, "source" | "signal"> {
  readonly source: Source;
  /** Hears, while the node puts it in its place, what was read and what it will hold. */
  readonly sent?: (sent: Sent) => void;
}

export interface SendOptions extends ApplyOptions {
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

export interface Sent {
  /** Of files that changed while they were sent the node keeps what it had. */
  readonly packed: Packed;
  /** What the node has now, sorted by path. */
  readonly record: readonly Entry[];
  readonly manifest: ManifestText;
}

const encoder = new TextEncoder();

/** First what other nodes may lack too, then what concerns this one alone. */
export async function sendArchive(
  talk: Conversation,
  options: SendOptions,
): Promise<Sent> {
  const { source, reuse, can } = options;
  await say(talk, "go");
  const frames = new FrameWriter(talk, {
    compression: COMPRESSIONS.find((way) => can.has(way)),
    canRest: can.has("seal"),
  });
  const pack = source.packs.packOf(reuse.send);
  const { node } = options.target;
  const meter = new ProgressMeter({ node, entries: reuse.send, tell: options.progress });
  for await (const block of pack.read()) {
    const { bytes, files } = block;
    const took = { bytes: bytes.length, files };
    await frames.block(block);
    meter.took(took);
  }
  const sum = pack.sum();
  const archive = new TarWriter(async (bytes) => {
    sum.update(bytes);
    await frames.block(new Block(bytes));
  });
  const packed = await packRest(pack.packed, { ...options, archive });
  const { lists, ...sent } = await told(packed, options);
  for (const [path, text] of Object.entries(lists)) await archive.text(path, text);
  await archive.last("seal", { size: SEAL_BYTES, make: (zeros) => sum.seal(zeros) });
  await archive.end();
  await frames.end();
  await talk.end();
  return sent;
}

/**
 * Where the node is this machine: nothing travels, and what would have is written into the folder that its
 * shell has made for it.
 */
export async function stageHere(
  talk: Conversation,
  { work, ...options }: SendOptions & { readonly work: string },
): Promise<Sent> {
  const { plan, source, place, target, signal } = options;
  const meter = new ProgressMeter({
    node: target.node,
    entries: plan.send,
    tell: options.progress,
  });
  const stage = new Stage(`${place.root}/.grid/sync/${place.key}/${work}/in`, {
    ...options,
    source: source.folder,
    refused: (words) => problemOf("failed tar", words, options),
    packedFile: (bytes) => meter.took({ bytes, files: 1 }),
    signal,
  });
  const packed = await stage.entries(plan.send);
  const { lists, ...sent } = await told({ ...packed, lists: {} }, options);
  for (const [path, text] of Object.entries(lists)) stage.text(path, text);
  await say(talk, "staged");
  return sent;
}

interface Told extends Sent {
  /** What the node has to know about it. */
  readonly lists: Readonly<Record<string, string | Pieces>>;
}

async function told(packed: PackedForNode, options: SendOptions): Promise<Told> {
  const { plan } = options;
  const { record, manifest } = await finalRecord(packed, options);
  const files = packed.sent.filter((entry) => entry.type === "file");
  const lists = {
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
  return { packed, record, manifest, lists };
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

export async function say(talk: Conversation, words: string): Promise<void> {
  await talk.write(encoder.encode(`${words}\n`));
}
