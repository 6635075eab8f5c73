/** What a node need not be sent, because it has it: under another name, for the most part, or from before a link broke. */
import { createHash } from "node:crypto";
import { asRelativePath, type RelativePath } from "../core/relative_path.ts";
import { Turns } from "../core/turns.ts";
import { matchBlocks, MOST_SUM_BYTES, readBlockSums } from "./block_match.ts";
import type { Conversation } from "./conversation.ts";
import { type Edit, type EditSums, openReader } from "./edits.ts";
import type { Entry } from "./entry.ts";
import { mtimeSeconds } from "./file_state.ts";
import { mostSumBytes, readSums } from "./fetch_sums.ts";
import { isUnhashed, type SourceEntry } from "./hash.ts";
import { listOf } from "./manifest.ts";
import type { NodeState } from "./node_state.ts";
import type { Plan } from "./plan.ts";
import { problemOf } from "./apply_problem.ts";
import type { Place } from "./place.ts";
import type { SyncTarget } from "./sync.ts";

export interface ReuseOptions {
  readonly target: SyncTarget;
  readonly place: Place;
  readonly state: NodeState;
  readonly known: readonly Entry[];
  readonly wanted: readonly Entry[];
  readonly plan: Plan<SourceEntry>;
  /** Absolute source folder. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

interface WorkOptions extends ReuseOptions {
  readonly turns: Turns;
}

export interface Reuse {
  /** To be sent as they are. */
  readonly send: readonly SourceEntry[];
  readonly edits: readonly (Edit & EditSums)[];
  /** Staged already, since before the link broke. */
  readonly taken: readonly SourceEntry[];
}

/** A smaller file is sent sooner than it is copied there. */
const MIN_COPY_BYTES = 16 * 1024;
/** Each is a process or two on the node. */
const MOST_EDITS = 500;
/** From here on it pays to ask the node what it has block by block. */
const MIN_DELTA_BYTES = 2 ** 20;
/** Each piece is a process on the node. */
const MOST_PIECES = 2000;
/** Names of what arrived before a link broke. */
const MOST_PARTIAL = { bytes: 32 * 2 ** 20, what: "names of what arrived before" };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export async function planReuse(talk: Conversation, options: ReuseOptions): Promise<Reuse> {
  const { plan, state } = options;
  const nothing: Reuse = { send: plan.send, edits: [], taken: [] };
  if (!state.can.has("sum") || plan.send.some(isUnhashed)) return nothing;
  const work = { ...options, turns: new Turns(options) };
  const { taken, edits: resumed } = state.can.has("partial")
    ? await takePartial(talk, work)
    : { taken: [], edits: [] };
  const done = new Set([...taken, ...resumed.map((edit) => edit.entry)]);
  const left = plan.send.filter((entry) => !done.has(entry) && entry.type === "file");
  const copies = copiesOf(left, options);
  const copied = new Set(copies.map((edit) => edit.entry));
  const deltas = state.can.has("blocks")
    ? await deltasOf(talk, { ...work, files: left.filter((entry) => !copied.has(entry)) })
    : [];
  const edits = [...resumed, ...copies, ...deltas];
  for (const edit of edits) done.add(edit.entry);
  return { send: plan.send.filter((entry) => !done.has(entry)), edits, taken };
}

/** The same content lies there under another name, as its sync left it. */
function copiesOf(files: readonly SourceEntry[], { known, state }: ReuseOptions): Edit[] {
  const large = files.filter((entry) => entry.size >= MIN_COPY_BYTES)
    .toSorted((a, b) => b.size - a.size);
  if (large.length === 0) return [];
  const { changed } = state.rows;
  const pending = new Set(state.pending.map((entry) => entry.path));
  const bases = new Map<string, string>();
  for (const entry of known) {
    const isSure = entry.type === "file" && !changed.has(entry.path) && !pending.has(entry.path);
    if (isSure && entry.content.startsWith("sha256:")) bases.set(entry.content, entry.path);
  }
  return large.flatMap((entry): Edit[] => {
    const base = bases.get(entry.content);
    return base === undefined ? [] : [{ entry, base, pieces: [{ kind: "all" }] }];
  }).slice(0, MOST_EDITS);
}

interface DeltaOptions extends WorkOptions {
  readonly files: readonly SourceEntry[];
}

async function deltasOf(
  talk: Conversation,
  { files, known, state, folder, turns, ...where }: DeltaOptions,
): Promise<(Edit & EditSums)[]> {
  const large = files.filter((entry) => entry.size >= MIN_DELTA_BYTES);
  if (large.length === 0) return [];
  const { missing } = state.rows;
  const before = new Map(known.map((entry) => [entry.path, entry]));
  const asked = large.filter((entry) => {
    const there = before.get(entry.path);
    return there?.type === "file" && there.size >= MIN_DELTA_BYTES && !missing.has(entry.path);
  }).slice(0, MOST_EDITS);
  if (asked.length === 0) return [];
  const list = encoder.encode(listOf(asked.map((entry) => entry.path)));
  await talk.write(encoder.encode(`blocks ${list.length}\n`));
  await talk.write(list);
  const line = await talk.line();
  const [, bytes] = /^blocks (\d{1,15})$/.exec(line) ?? [];
  if (bytes === undefined) throw problemOf(line, await talk.rest(), where);
  const most = { bytes: MOST_SUM_BYTES, what: "sums of blocks" };
  const sums = readBlockSums(await talk.bytes(Number(bytes), most), asked.length);
  const edits: (Edit & EditSums)[] = [];
  for (const [at, entry] of asked.entries()) {
    const found = sums[at];
    if (found === undefined) continue;
    const reader = openReader(`${folder}/${entry.path}`);
    try {
      const read = (into: Uint8Array, from: number) => void reader.fill(into, from);
      const pieces = await matchBlocks({ size: entry.size, read, sums: found, turns });
      const data = pieces.reduce((sum, it) => sum + (it.kind === "data" ? it.bytes : 0), 0);
      if (pieces.length > MOST_PIECES || data > entry.size * 0.8) continue;
      edits.push({ entry, base: entry.path, pieces, sums: found });
    } finally {
      reader.close();
    }
  }
  return edits;
}

/** The node stages what is of use of what arrived before the link broke; the rest is removed there. */
async function takePartial(
  talk: Conversation,
  { plan, wanted, folder, turns, ...where }: WorkOptions,
): Promise<{ taken: SourceEntry[]; edits: Edit[] }> {
  const found = await askPartial(talk, where);
  const due = new Map(plan.send.map((entry) => [entry.path, entry]));
  const folders = new Set(wanted.filter((it) => it.type === "folder").map((it) => it.path));
  const taken: SourceEntry[] = [];
  const edits: Edit[] = [];
  const useless: RelativePath[] = [];
  for (const file of found.files) {
    const entry = due.get(file.path);
    if (entry?.type === "file" && isWhole(file, entry)) taken.push(entry);
    else if (
      entry?.type === "file" && edits.length < MOST_EDITS &&
      await isStart(file, entry, { folder, turns })
    ) {
      edits.push({ entry, base: undefined, pieces: [{ kind: "rest", at: file.size }] });
    } else useless.push(file.path);
  }
  const uselessFolders = found.folders.filter((path) => !folders.has(path))
    .toSorted().toReversed();
  const lists = [useless, uselessFolders].map((paths) => encoder.encode(listOf(paths)));
  await talk.write(encoder.encode(`use ${lists.map((list) => list.length).join(" ")}\n`));
  for (const list of lists) if (list.length > 0) await talk.write(list);
  return { taken, edits };
}

interface PartialFile {
  readonly path: RelativePath;
  readonly size: number;
  readonly executable: boolean;
  /** Whole seconds since the Unix epoch. */
  readonly mtime: number;
  /** SHA-256 in hex. */
  readonly sum: string;
}

interface Partial {
  readonly files: readonly PartialFile[];
  readonly folders: readonly RelativePath[];
}

async function askPartial(
  talk: Conversation,
  where: { readonly target: SyncTarget; readonly place: Place },
): Promise<Partial> {
  await talk.write(encoder.encode("partial\n"));
  const line = await talk.line();
  const [, ...sizes] = /^partial (\d{1,15}) (\d{1,15}) (\d{1,15})$/.exec(line) ?? [];
  const [nameBytes, rowBytes, sumBytes] = sizes.map(Number);
  if (nameBytes === undefined || rowBytes === undefined || sumBytes === undefined) {
    throw problemOf(line, await talk.rest(), where);
  }
  const names = decoder.decode(await talk.bytes(nameBytes, MOST_PARTIAL)).split("\0").slice(0, -1);
  const most = { bytes: 100 * (names.length + 1), what: "facts about what arrived before" };
  const rows = decoder.decode(await talk.bytes(rowBytes, most)).split("\n");
  const paths = names.map((name) => asRelativePath(name.slice(2), { allowControls: true }));
  const regular = names.flatMap((_, at) => {
    const path = paths[at];
    return path !== undefined && /^8/.test(rows[at] ?? "") ? [path] : [];
  });
  const mostSums = { bytes: mostSumBytes(regular), what: "sums of what arrived before" };
  const sums = readSums(decoder.decode(await talk.bytes(sumBytes, mostSums)), regular);
  const files: PartialFile[] = [];
  const folders: RelativePath[] = [];
  for (const [at, path] of paths.entries()) {
    const [mode = "", size, mtime] = (rows[at] ?? "").split(" ");
    if (path === undefined) continue;
    if (/^4/.test(mode)) folders.push(path);
    // What has no sum is useless too, and must be named to go.
    else {
      files.push({
        path,
        size: Number(size),
        executable: (parseInt(mode, 16) & 0o100) !== 0,
        mtime: Number(mtime),
        sum: sums.get(path) ?? "",
      });
    }
  }
  return { files, folders };
}

function isWhole(file: PartialFile, entry: SourceEntry): boolean {
  return `sha256:${file.sum}` === entry.content && file.size === entry.size &&
    file.executable === entry.executable &&
    file.mtime === mtimeSeconds(entry.state);
}

/** Whether the file here begins with what is there. */
async function isStart(
  file: PartialFile,
  entry: SourceEntry,
  { folder, turns }: Pick<WorkOptions, "folder" | "turns">,
): Promise<boolean> {
  if (!(file.size < entry.size) || file.size < MIN_DELTA_BYTES || file.sum === "") return false;
  const reader = openReader(`${folder}/${entry.path}`);
  try {
    const digest = createHash("sha256");
    const piece = new Uint8Array(2 ** 20);
    for (let at = 0; at < file.size; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, file.size - at));
      if (!reader.fill(part, at)) return false;
      digest.update(part);
      await turns.next();
    }
    return digest.digest("hex") === file.sum;
  } finally {
    reader.close();
  }
}
