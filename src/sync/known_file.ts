/** Where `known_source.ts` keeps what it knows: one file for each source, in a few large values. */
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { writeCacheFile } from "./cache_file.ts";
import type { EntryType } from "./entry.ts";
import type { SourceEntry } from "./hash.ts";
import { fromColumns, toColumns, typeOfColumn } from "./pack_words.ts";

/** First line; then the sum of the rest, a line of JSON, and what it says the sizes of. */
const MAGIC = "grid-known-source 1";
const SUM_CHARS = 8;

export interface KnownFileOptions {
  readonly folder: string;
  readonly source: string;
  /** What was kept under another one is of no use. */
  readonly key: string;
}

/** What is kept. */
export interface Known {
  /** Files outside of the source's folders that the rules depend on, with their states. */
  readonly guards: readonly (readonly [string, string])[];
  /** Of the manifest. */
  readonly digest: string;
  /** Places of entries that may have changed again unseen. */
  readonly young: readonly number[];
  /** Sorted by path. */
  readonly entries: readonly SourceEntry[];
  /** See `source_rows.ts`. */
  readonly rows: Buffer;
}

/** What was kept; lists are made when somebody wants them. */
export interface KnownFile extends Pick<Known, "guards" | "digest" | "young" | "rows"> {
  /** Files and links. */
  readonly leaves: number;
  readonly hasLinks: boolean;
  readonly folders: readonly string[];
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
export function loadKnown({ key, ...where }: KnownFileOptions): KnownFile | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(fileOf(where));
  } catch {
    return undefined;
  }
  const start = MAGIC.length + SUM_CHARS + 2;
  const end = bytes.indexOf(10, start);
  const first = `${MAGIC}\n${sumOf([bytes.subarray(start)])}\n`;
  if (end < 0 || bytes.toString("latin1", 0, start) !== first) return undefined;
  const head: Head = JSON.parse(bytes.toString("utf8", start, end));
  if (head.key !== key) return undefined;
  let at = end + 1;
  const parts = head.sizes.map((size) => bytes.subarray(at, at += size));
  const [rows, folders, paths, contents, types, numbers] = parts;
  if (!rows || !folders || !paths || !contents || !types || !numbers) return undefined;
  let known: readonly string[] | undefined;
  return {
    ...head,
    rows,
    folders: lines(folders),
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
  { key, ...where }: KnownFileOptions,
  { guards, digest, young, entries, rows }: Known,
): void {
  const { paths, contents, types, numbers } = toColumns(entries);
  const folders = entries.filter((entry) => entry.type === "folder");
  const parts = [
    rows,
    Buffer.from(folders.map((entry) => `${entry.path}\0`).join("")),
    Buffer.from(paths),
    Buffer.from(contents),
    types,
    new Uint8Array(numbers.buffer),
  ];
  const head: Head = {
    key,
    guards,
    digest,
    young,
    leaves: entries.length - folders.length,
    hasLinks: entries.some((entry) => entry.type === "link"),
    sizes: parts.map((part) => part.length),
  };
  const all = [Buffer.from(`${JSON.stringify(head)}\n`), ...parts];
  writeCacheFile(fileOf(where), [Buffer.from(`${MAGIC}\n${sumOf(all)}\n`), ...all]);
}

/** Against what breaks by itself; whoever may write here may write anything. */
function sumOf(parts: readonly Uint8Array[]): string {
  return parts.reduce((sum, part) => crc32(part, sum), 0).toString(16).padStart(SUM_CHARS, "0");
}

function lines(part: Buffer): string[] {
  return part.toString("utf8").split("\0").slice(0, -1);
}

function fileOf({ folder, source }: Omit<KnownFileOptions, "key">): string {
  return join(folder, `source-${hash("sha256", source).slice(0, 16)}`);
}
