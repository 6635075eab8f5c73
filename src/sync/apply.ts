/** One sync of one folder on one node, over one channel. */
import type { Entry } from "./entry.ts";
import { comparePaths, foldersAbove } from "./entry.ts";
import { Conversation } from "./conversation.ts";
import { type Manifest, readManifest, writeManifest } from "./manifest.ts";
import { type Packed, packEntries } from "./pack.ts";
import type { Place } from "./place.ts";
import { type Plan, planSync } from "./plan.ts";
import { refuseLargeDelete, refuseWithoutSpace } from "./preflight.ts";
import { problemOf } from "./problem.ts";
import { compareRows, type RowComparison } from "./rows.ts";
import { shellText } from "./shell_text.ts";
import type { SyncOptions, SyncTarget } from "./sync.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar.ts";

export interface ApplyOptions extends SyncOptions {
  readonly target: SyncTarget;
  readonly place: Place;
  /** The source, sorted by path. */
  readonly wanted: readonly Entry[];
  /** Seconds to wait for another sync of the same folder. */
  readonly patienceSeconds: number;
}

export interface Applied {
  readonly plan: Plan;
  readonly bytes: number;
  /** Files that changed while they were sent; the node keeps what it had. */
  readonly torn: readonly string[];
}

interface NodeState {
  readonly digest: string;
  readonly verdict: "same" | "changed" | "interrupted";
  readonly freeBytes: number | undefined;
  readonly manifest: Manifest | undefined;
  readonly rows: RowComparison;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NOTHING: RowComparison = { changed: new Set(), displaced: new Set() };

/** @throws {GridError} `sync`, `conflict`, `workspace` or a transport code */
export async function applySync(options: ApplyOptions): Promise<Applied> {
  const { target, place } = options;
  await using talk = await Conversation.start(target.transport, {
    script: shellText("apply.sh"),
    words: [
      place.root,
      place.name,
      place.key,
      "",
      `grid-${Deno.pid}`,
      String(options.patienceSeconds),
    ],
    signal: options.signal,
  });
  const state = await readState(talk, options);
  const known = state.manifest?.entries ?? [];
  const plan = planSync({ wanted: options.wanted, known, ...state.rows, delete: options.delete });
  const record = finalRecord({ ...options, known }, { sent: [], torn: [] });
  if (state.verdict === "same" && writeManifest(record).digest === state.digest) {
    await say(talk, "stop");
    return { plan, bytes: 0, torn: [] };
  }
  refuseLargeDelete(plan, { known, ...options });
  refuseWithoutSpace(plan, { freeBytes: state.freeBytes, ...options });
  return await send(talk, { ...options, plan, known });
}

async function readState(talk: Conversation, options: ApplyOptions): Promise<NodeState> {
  const line = await talk.line();
  const [word, digest = "", verdict = "", free = "", ...sizes] = line.split(" ");
  if (word !== "state") throw problemOf(line, await talk.rest(), options);
  const [manifestBytes = 0, recordedBytes = 0, liveBytes = 0] = sizes.map(Number);
  const text = decoder.decode(await talk.bytes(manifestBytes));
  const recorded = decoder.decode(await talk.bytes(recordedBytes));
  const live = decoder.decode(await talk.bytes(liveBytes));
  const manifest = digest === "none" ? undefined : readManifest(text, digest);
  const isSame = verdict === "same" || manifest === undefined;
  return {
    digest: manifest === undefined ? "none" : digest,
    verdict: verdict === "same" ? "same" : verdict === "interrupted" ? "interrupted" : "changed",
    freeBytes: /^\d+$/.test(free) ? Number(free) * 1024 : undefined,
    manifest,
    rows: isSame ? NOTHING : compareRows(manifest.entries, { recorded, live }),
  };
}

interface SendOptions extends ApplyOptions {
  readonly plan: Plan;
  readonly known: readonly Entry[];
}

async function send(talk: Conversation, options: SendOptions): Promise<Applied> {
  const packed = await sendArchive(talk, options);
  const line = await talk.line();
  if (line !== "finished") throw problemOf(line, await talk.rest(), options);
  return { plan: options.plan, bytes: packed.bytes, torn: packed.torn };
}

async function sendArchive(talk: Conversation, options: SendOptions): Promise<Packed> {
  const { plan } = options;
  await say(talk, "go");
  const write = (bytes: Uint8Array) => talk.write(bytes);
  const packed = await packEntries(plan.send, { ...options, prefix: "tree/", write });
  const record = finalRecord(options, packed);
  const manifest = writeManifest(record);
  const lists: Record<string, string> = {
    "sent": listOf(packed.sent.filter((entry) => entry.type === "file").map((it) => it.path)),
    "sum": `${packed.sum}\n`,
    "torn": listOf(packed.torn),
    "clear": listOf(plan.clear),
    "clear-folders": listOf(plan.clearFolders),
    "gone": listOf(plan.remove),
    "gone-folders": listOf(plan.removeFolders),
    "parents": listOf(parentsOf(plan)),
    "record/manifest": manifest.text,
    "record/files": listOf(record.filter((it) => it.type !== "folder").map((it) => it.path)),
    "record/folders": listOf(record.filter((it) => it.type === "folder").map((it) => it.path)),
    "next": `${manifest.digest}\n`,
    // Last: without it the archive was cut.
    "complete": "",
  };
  for (const [path, text] of Object.entries(lists)) await write(smallMember(path, text));
  await write(tarEnd());
  await talk.end();
  return packed;
}

/** What the node holds afterwards: the plan, corrected by what was really read. */
function finalRecord(
  options: Pick<SendOptions, "wanted" | "known" | "delete">,
  packed: Pick<Packed, "sent" | "torn">,
): Entry[] {
  const record = new Map(options.wanted.map((entry) => [entry.path, entry]));
  for (const entry of packed.sent) record.set(entry.path, entry);
  const before = new Map(options.known.map((entry) => [entry.path, entry]));
  for (const path of packed.torn) {
    const there = before.get(path);
    if (there === undefined) record.delete(path);
    else record.set(path, there);
  }
  const stays = options.delete ? [] : options.known.filter((entry) => !isReplaced(entry, record));
  return [...record.values(), ...stays].toSorted((a, b) => comparePaths(a.path, b.path));
}

/** With `delete: false` what the source no longer has stays on record, so that it can go later. */
function isReplaced(entry: Entry, record: ReadonlyMap<string, Entry>): boolean {
  return record.has(entry.path) ||
    foldersAbove(entry.path).some((above) => record.get(above)?.type !== "folder");
}

function parentsOf(plan: Plan): string[] {
  const touched = [...plan.clear, ...plan.clearFolders, ...plan.remove, ...plan.removeFolders];
  const parents = new Set(touched.flatMap(foldersAbove));
  return [...parents].toSorted(comparePaths);
}

function listOf(paths: readonly string[]): string {
  return paths.map((path) => `${path}\0`).join("");
}

function smallMember(path: string, text: string): Uint8Array {
  const body = encoder.encode(text);
  const header = tarHeader({ path, type: "file", mode: 0o600, size: body.length, mtime: 0 });
  const member = new Uint8Array(header.length + body.length + tarPadding(body.length));
  member.set(header);
  member.set(body, header.length);
  return member;
}

async function say(talk: Conversation, words: string): Promise<void> {
  await talk.write(encoder.encode(`${words}\n`));
  await talk.flush();
}
