/**
 * Where `known_source.ts` keeps what it knows: one file for each source and what is left out of it, in a few
 * large values.
 */
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { VERSION } from "../core/version.ts";
import { writeCacheFile } from "./cache_file.ts";
import type { EntryType } from "./entry.ts";
import type { Guard } from "./guards.ts";
import type { SourceEntry } from "./hash.ts";
import { fromColumns, toColumns, typeOfColumn } from "./pack_words.ts";

/**
 * First line; then the sum of the head and the folders, that of all the rest, and the sizes of the two. The
 * head is JSON, and says the sizes of what follows the folders. What is kept is a list that rules have made,
 * and another version may have others.
 */
const MAGIC = `grid-known-source 2 of ${VERSION}`;
const SUM_CHARS = 8;
const SIZE_CHARS = 10;
const FIRST_CHARS = MAGIC.length + 2 * SUM_CHARS + 2 * SIZE_CHARS + 5;

export interface KnownFileOptions {
  readonly folder: string;
  readonly source: string;
  /** What was kept under another one is of no use. */
  readonly key: string;
}

/** What is kept. */
export interface Known {
  /** Files outside of the source's folders that the rules depend on, with their states. */
  readonly guards: readonly Guard[];
  /** Of the manifest. */
  readonly digest: string;
  /** Places of entries that may have changed again unseen. */
  readonly young: readonly number[];
  /** Sorted by path. */
  readonly entries: readonly SourceEntry[];
  /** See `source_rows.ts`. */
  readonly rows: Buffer;
}

/** The beginning of what was kept: enough to ask the file system. */
export interface KnownHead extends Disposable, Pick<Known, "guards"> {
  readonly folders: readonly string[];
  /** All of it; undefined where that is damaged. */
  whole(): Promise<KnownFile | undefined>;
}

/** What was kept; lists are made when somebody wants them. */
export interface KnownFile extends Pick<Known, "guards" | "digest" | "young" | "rows"> {
  /** Files and links. */
  readonly leaves: number;
  readonly hasLinks: boolean;
  /** Of the entries. */
  readonly paths: readonly string[];
  typeAt(place: number): EntryType;
  /** Anew each time. */
  entries(): SourceEntry[];
}

interface Head extends Pick<Known, "guards" | "digest" | "young"> {
  readonly key: string;
  readonly leaves: number;
  readonly hasLinks: boolean;
  readonly sizes: readonly number[];
}

/** Undefined where there is none, of another format or for another key, or a damaged one. */
export async function openKnown(
  options: KnownFileOptions,
): Promise<KnownHead | undefined> {
  const { key } = options;
  const file = await Deno.open(fileOf(options)).catch(() => undefined);
  if (file === undefined) return undefined;
  const head = await readHead(file).catch(() => undefined);
  if (head === undefined || head.key !== key) {
    file.close();
    return undefined;
  }
  const { restSum, ...facts } = head;
  return {
    guards: head.guards,
    folders: head.folders,
    async whole() {
      const size = head.sizes.reduce((sum, size) => sum + size, 0);
      const rest = await readBytes(file, size).catch(() => undefined);
      return rest === undefined || sumOf([rest]) !== restSum ? undefined : fileIn(rest, facts);
    },
    [Symbol.dispose]: () => file.close(),
  };
}

async function readHead(file: Deno.FsFile) {
  const first = (await readBytes(file, FIRST_CHARS))?.toString("latin1").split("\n") ?? [];
  const [magic, headSum, restSum, headSize, folderSize] = first;
  if (magic !== MAGIC) return undefined;
  const head = await readBytes(file, Number(headSize));
  const folders = await readBytes(file, Number(folderSize));
  if (!head || !folders || sumOf([head, folders]) !== headSum) return undefined;
  const facts: Head = JSON.parse(head.toString("utf8"));
  return { ...facts, folders: lines(folders), restSum };
}

/** Undefined where the file ends before. */
async function readBytes(file: Deno.FsFile, count: number): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafeSlow(count);
  for (let at = 0; at < count;) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) return undefined;
    at += read;
  }
  return bytes;
}

function fileIn(bytes: Buffer, { sizes, ...head }: Head): KnownFile | undefined {
  let at = 0;
  const parts = sizes.map((size) => bytes.subarray(at, at += size));
  const [rows, paths, contents, types, numbers] = parts;
  if (!rows || !paths || !contents || !types || !numbers) return undefined;
  let known: readonly string[] | undefined;
  return {
    ...head,
    rows,
    get paths() {
      return known ??= lines(paths);
    },
    typeAt: (place) => typeOfColumn(types[place] ?? 0),
    entries: () =>
      fromColumns({
        paths: paths.toString("utf8"),
        contents: contents.toString("utf8"),
        types,
        // Its place in the file is no multiple of eight.
        numbers: new Float64Array(new Uint8Array(numbers).buffer),
      }),
  };
}

export function saveKnown(
  options: KnownFileOptions,
  { guards, digest, young, entries, rows }: Known,
): void {
  const { key } = options;
  const { paths, contents, types, numbers } = toColumns(entries);
  const inside = entries.filter((entry) => entry.type === "folder");
  const rest = [
    rows,
    Buffer.from(paths),
    Buffer.from(contents),
    types,
    new Uint8Array(numbers.buffer),
  ];
  const facts: Head = {
    key,
    guards,
    digest,
    young,
    leaves: entries.length - inside.length,
    hasLinks: entries.some((entry) => entry.type === "link"),
    sizes: rest.map((part) => part.length),
  };
  const head = Buffer.from(JSON.stringify(facts));
  const folders = Buffer.from(inside.map((entry) => `${entry.path}\0`).join(""));
  const first = [
    MAGIC,
    sumOf([head, folders]),
    sumOf(rest),
    String(head.length).padStart(SIZE_CHARS, "0"),
    String(folders.length).padStart(SIZE_CHARS, "0"),
    "",
  ];
  const file = fileOf(options);
  const pieces = [Buffer.from(first.join("\n")), head, folders, ...rest];
  if (writeCacheFile(file, pieces)) clearOld(file);
}

/** Against what breaks by itself; whoever may write here may write anything. */
function sumOf(parts: readonly Uint8Array[]): string {
  return parts.reduce((sum, part) => crc32(part, sum), 0).toString(16).padStart(SUM_CHARS, "0");
}

function lines(part: Buffer): string[] {
  return part.toString("utf8").split("\0").slice(0, -1);
}

/** Files of one source; a list may take megabytes. */
const MOST_LISTS = 4;

/** Of the same source only the newest stay. */
function clearOld(file: string): void {
  const folder = dirname(file);
  const start = basename(file).slice(0, -WORD_CHARS);
  const old = readdirSync(folder)
    .filter((name) => name.startsWith(start) && name.length === start.length + WORD_CHARS)
    .map((name) => ({ path: join(folder, name), at: changedAt(join(folder, name)) }))
    .toSorted((a, b) => b.at - a.at)
    .slice(MOST_LISTS);
  for (const { path } of old) rmSync(path, { force: true });
}

/** What another program has just removed is the oldest. */
function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

const WORD_CHARS = 16;

function fileOf({ folder, source, key }: KnownFileOptions): string {
  const [from, of] = [source, key].map((text) => hash("sha256", text).slice(0, WORD_CHARS));
  return join(folder, `source-${from}-${of}`);
}
