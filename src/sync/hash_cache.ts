/**
 * Remembers the hash of every file by everything the file system tells about it, so that an unchanged
 * file is not read again.
 */
import { hash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { changedAtMs, describeState, type FileState } from "./file_state.ts";

const MAGIC = "grid-hash-cache 2";
/**
 * A file may change again within the same tick of its clock, unseen. Two seconds cover the coarsest
 * clock in use (FAT); git calls the same rule "racy": git-scm.com/docs/racy-git.
 */
const GRANULE_MS = 2000;

export interface HashCache {
  /** The hash of an unchanged file. */
  get(path: string, state: FileState): string | undefined;
  set(path: string, state: FileState, hash: string): void;
  /** Writes what was set, and forgets every path that was neither asked for nor set. */
  save(): void;
}

export interface HashCacheOptions {
  readonly folder: string;
  /** Absolute source folder; every source has a file of its own. */
  readonly source: string;
  /** Milliseconds since the Unix epoch; now, unless a test says otherwise. */
  readonly nowMs?: number;
}

interface Row {
  readonly state: string;
  readonly hash: string;
}

/** A cache that is missing or damaged starts empty. */
export function openHashCache(options: HashCacheOptions): HashCache {
  const name = hash("sha256", options.source).slice(0, 16);
  const file = join(options.folder, `hashes-${name}`);
  // Files are read after this moment, so a file older than this by more than the granule cannot
  // change any more without showing it.
  const trustedBeforeMs = (options.nowMs ?? systemClock.now()) - GRANULE_MS;
  const old = load(file);
  const rows = new Map<string, Row>();
  let isDirty = false;

  return {
    get(path, state) {
      const row = old.get(path);
      if (row === undefined || row.state !== describeState(state)) return undefined;
      rows.set(path, row);
      return row.hash;
    },
    set(path, state, hash) {
      if (changedAtMs(state) >= trustedBeforeMs) return;
      rows.set(path, { state: describeState(state), hash });
      isDirty = true;
    },
    save() {
      if (isDirty || rows.size !== old.size) write(file, { folder: options.folder, rows });
    },
  };
}

function load(file: string): Map<string, Row> {
  const rows = new Map<string, Row>();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return rows;
  }
  const end = text.indexOf("\n");
  const body = text.slice(end + 1);
  if (text.slice(0, end) !== `${MAGIC} ${hash("sha256", body)}`) return rows;
  const fields = body.split("\0");
  for (let at = 0; at + 2 < fields.length; at += 3) {
    rows.set(fields[at] ?? "", { state: fields[at + 1] ?? "", hash: fields[at + 2] ?? "" });
  }
  return rows;
}

interface WriteOptions {
  readonly folder: string;
  readonly rows: ReadonlyMap<string, Row>;
}

/** Two programs may write at once: each its own file, the last rename wins, both are whole. */
function write(file: string, { folder, rows }: WriteOptions): void {
  const body = Array.from(rows, ([path, row]) => `${path}\0${row.state}\0${row.hash}\0`).join("");
  const temporary = `${file}.${crypto.randomUUID()}`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(temporary, `${MAGIC} ${hash("sha256", body)}\n${body}`, { mode: 0o600 });
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}
