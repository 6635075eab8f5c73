/**
 * The source as the last look found it, so that the next one is a comparison: what the file system says
 * of everything in its folders, of ignored things too, and of what the rules stand in. Where that is the
 * same as before, so is the list; where only contents changed, only these are looked at again.
 *
 * It is kept where everything was plain: nothing that could not be synced, no rule that is younger than
 * the granule of clocks.
 */
import type { Buffer } from "node:buffer";
import { realpathSync } from "node:fs";
import { everythingElse } from "../core/turns.ts";
import { changedAtMs, type FileState, GRANULE_MS, isExecutable, readState } from "./file_state.ts";
import { type Guard, guardedFile, guardState } from "./guards.ts";
import { isUnhashed, type SourceEntry } from "./hash.ts";
import { type KnownFile, openKnown, saveKnown } from "./known_file.ts";
import type { Manifest } from "./manifest.ts";
import { changedRows, readRows, readSourceRows, type SourceRow } from "./source_rows.ts";
import { leavesRoot } from "./walk.ts";

/** From here on a process of its own is faster than looking at each file. */
const WORTH_ENTRIES = 500;
/** What is kept of more takes more memory than there shall be. */
const MOST_ENTRIES = 30_000;
/** Where so many changed, or may have, the whole is looked at. */
const MOST_CHANGED = 500;
const MOST_LINKS = 100;
/** What is in them decides about other files; `.git` is a file in a work tree beside the first. */
const RULES = /(^|\/)\.(gitignore|gridignore|gitattributes|git)$/;
const TYPES: Readonly<Record<string, FileState["kind"]>> = { f: "file", d: "folder", l: "link" };

export interface KnownSourceOptions {
  readonly source: string;
  readonly cacheFolder: string;
  /** Everything else that the list depends on. */
  readonly words: readonly unknown[];
  readonly signal: AbortSignal;
  /** Hears, before it is known what, that something is other than it was. */
  readonly differs?: (() => void) | undefined;
  /** Default 500. */
  readonly worthEntries?: number | undefined;
  /** Milliseconds since the Unix epoch, from before the first file was looked at. */
  readonly startedAtMs: number;
}

/** The source, without having looked at each file. */
export class KnownSource {
  readonly #file: KnownFile;
  readonly #rows: Buffer;
  /** Looked at again, by their place in the list. */
  readonly #fresh: ReadonlyMap<number, FileState>;
  readonly #options: KnownSourceOptions;
  #known: readonly SourceEntry[] | undefined;
  #entries: readonly SourceEntry[] | undefined;

  constructor(file: KnownFile, { rows, fresh, options }: {
    readonly rows: Buffer;
    readonly fresh: ReadonlyMap<number, FileState>;
    readonly options: KnownSourceOptions;
  }) {
    this.#file = file;
    this.#rows = rows;
    this.#fresh = fresh;
    this.#options = options;
  }

  /** Of the manifest; undefined where a file has to be read first. */
  get digest(): string | undefined {
    const isRead = [...this.#fresh.values()].every(({ kind }) => kind !== "file");
    return isRead ? this.#file.digest : undefined;
  }

  /** Files and links. */
  get leaves(): number {
    return this.#file.leaves;
  }

  /** Sorted by path; without the contents of those that were looked at again. */
  get entries(): readonly SourceEntry[] {
    if (this.#entries === undefined) {
      const entries = [...this.#before()];
      for (const [at, state] of this.#fresh) {
        const entry = entries[at];
        if (entry === undefined) continue;
        const isFile = state.kind === "file";
        entries[at] = {
          ...entry,
          executable: isExecutable(state),
          size: isFile ? state.size : 0,
          content: isFile ? "" : entry.content,
          state,
        };
      }
      this.#entries = entries;
    }
    return this.#entries;
  }

  /** What it was before anything was looked at again, where that has this digest. */
  manifestOf(digest: string): Manifest | undefined {
    if (digest !== this.#file.digest) return undefined;
    const before = () => this.#before();
    return {
      digest,
      get entries() {
        return before();
      },
    };
  }

  #before(): readonly SourceEntry[] {
    return this.#known ??= this.#file.entries();
  }

  /** Where it holds something else now, or files are certain that were not. @param digest of the manifest of all entries */
  save(digest: string): void {
    const { startedAtMs, ...options } = this.#options;
    const fresh = [...this.#fresh.keys()].filter((at) => this.entries[at]?.type === "file");
    const young = fresh.filter((at) => isYoung(this.entries[at]?.state, startedAtMs));
    const isNew = digest !== this.#file.digest || young.length < fresh.length;
    if (!isNew || this.entries.some(isUnhashed)) return;
    const { guards } = this.#file;
    saveKnown(fileOptions(options), {
      ...{ guards, digest, young, entries: this.entries, rows: this.#rows },
    });
  }
}

/** Undefined where it has to be looked at as a whole. */
export async function recognizeSource(
  options: KnownSourceOptions,
): Promise<KnownSource | undefined> {
  const { source, signal } = options;
  using head = await openKnown(fileOptions(options));
  if (head === undefined || !head.guards.every(([path, state]) => guardState(path) === state)) {
    return undefined;
  }
  // What was is read while what is is told.
  const [rows, file] = await Promise.all([
    readSourceRows(source, { folders: head.folders, signal }),
    head.whole(),
  ]);
  if (file && rows && !file.rows.equals(rows)) {
    options.differs?.();
    // What that has begun goes on meanwhile.
    await everythingElse();
  }
  const changed = file && rows && changedRows(file.rows, rows);
  if (file === undefined || rows === undefined || changed === undefined) return undefined;
  const fresh = new Map<number, FileState>();
  const look = (at: number): boolean => {
    const path = file.paths[at] ?? "";
    const state = readState(`${source}/${path}`);
    if (state === undefined || state.kind !== file.typeAt(at) || state.kind === "link") {
      return false;
    }
    fresh.set(at, state);
    return true;
  };
  for (const { path, type } of changed) {
    if (RULES.test(path) && type !== "d") return undefined;
    const at = file.paths.indexOf(path);
    // A rule leaves it out, whatever it holds.
    if (at >= 0 && !look(at)) return undefined;
  }
  if (fresh.size > MOST_CHANGED || !file.young.every(look)) return undefined;
  const root = realPathOf(source) ?? "";
  const isInside = ({ path, content }: SourceEntry) =>
    !leavesRoot({ source, root, path, target: content });
  const known = new KnownSource(file, { rows, fresh, options });
  return !file.hasLinks || known.entries.every((it) => it.type !== "link" || isInside(it))
    ? known
    : undefined;
}

export interface Found {
  /** Sorted by path, with all their contents. */
  readonly entries: readonly SourceEntry[];
  /** Of the manifest of these. */
  readonly digest: string;
  /** Paths that a rule left out. */
  readonly ignored: ReadonlySet<string>;
  /** What decides about the source and lies outside of it, as it was when it was read. */
  readonly guards: readonly Guard[];
  /** Of all folders among the entries, read after the walk began. */
  readonly rows: Buffer;
}

/** Whether remembering it may pay. */
export function isWorthKnowing(
  entries: readonly SourceEntry[],
  { worthEntries = WORTH_ENTRIES }: KnownSourceOptions,
): boolean {
  return entries.length >= worthEntries && entries.length <= MOST_ENTRIES &&
    entries.filter((entry) => entry.type === "link").length <= MOST_LINKS;
}

/** Keeps it for the next look, where it is as plain as that takes. */
export function rememberSource(
  { entries, digest, ignored, guards, rows }: Found,
  { startedAtMs, ...options }: KnownSourceOptions,
): void {
  const isSettled = guards.every(([path, state]) =>
    guardState(path) === state && !isYoung(guardedFile(path), startedAtMs)
  );
  if (!isSettled || entries.some(isUnhashed)) return;
  const places = new Map(entries.map((entry, at) => [entry.path, at]));
  const young: number[] = [];
  let seen = 0;
  for (const row of readRows(rows)) {
    if (row === undefined) return;
    const isFresh = row.type !== "d" && isYoung(row, startedAtMs);
    if (isFresh && RULES.test(row.path)) return;
    const at = places.get(row.path);
    const entry = at === undefined ? undefined : entries[at];
    if (at === undefined || entry === undefined) {
      // It came after the walk, and nobody knows whether a rule leaves it out.
      if (!ignored.has(row.path)) return;
      continue;
    }
    seen++;
    if (TYPES[row.type] !== entry.state.kind) return;
    if (row.type === "d" || (!isFresh && isOf(row, entry.state))) continue;
    if (row.type === "l") return;
    young.push(at);
  }
  if (seen !== entries.length || young.length > MOST_CHANGED) return;
  saveKnown(fileOptions(options), { guards, digest, young, entries, rows });
}

function fileOptions({ source, cacheFolder, words }: Omit<KnownSourceOptions, "startedAtMs">) {
  const key = JSON.stringify([realPathOf(source), Deno.uid(), ...words]);
  return { folder: cacheFolder, source, key };
}

/** Undefined where there is none: whoever walks says so. */
function realPathOf(source: string): string | undefined {
  try {
    return realpathSync(source);
  } catch {
    return undefined;
  }
}

/** The runtime tells the time of the last change in whole seconds. */
function isOf(row: SourceRow, state: FileState): boolean {
  return row.ino === state.ino && row.mtimeMs === state.mtimeMs &&
    Math.floor(row.ctimeMs / 1000) === Math.floor(state.ctimeMs / 1000) &&
    (row.type !== "f" || row.size === state.size);
}

/** Whether it may change again without showing it. */
function isYoung(
  state: Pick<FileState, "mtimeMs" | "ctimeMs"> | undefined,
  startedAtMs: number,
): boolean {
  return state !== undefined && changedAtMs(state) >= startedAtMs - GRANULE_MS;
}
