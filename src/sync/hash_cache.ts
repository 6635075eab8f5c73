/**
 * Remembers the hash of every file by everything the file system tells about it, so that an unchanged
 * file is not read again.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { join } from "node:path";

const MAGIC = "grid-hash-cache 1";
/**
 * A file may change again within the same tick of its clock, unseen. Two seconds cover the coarsest
 * clock in use (FAT); git calls the same rule "racy": git-scm.com/docs/racy-git.
 */
const GRANULE_NS = 2_000_000_000n;

export interface HashCache {
  /** The hash of an unchanged file. */
  get(path: string, stat: BigIntStats): string | undefined;
  set(path: string, stat: BigIntStats, hash: string): void;
  /** Writes what was set, and forgets every path that was neither asked for nor set. */
  save(): void;
}

export interface HashCacheOptions {
  readonly folder: string;
  /** Absolute source folder; every source has a file of its own. */
  readonly source: string;
  /** Nanoseconds since the Unix epoch; now, unless a test says otherwise. */
  readonly nowNs?: bigint;
}

/** A cache that is missing or damaged starts empty. */
export function openHashCache(options: HashCacheOptions): HashCache {
  const name = createHash("sha256").update(options.source).digest("hex").slice(0, 16);
  const file = join(options.folder, `hashes-${name}`);
  const openedNs = options.nowNs ?? BigInt(Date.now()) * 1_000_000n;
  const old = load(file);
  const rows = new Map<string, string>();
  let isDirty = false;

  return {
    get(path, stat) {
      const row = old.get(path);
      if (row === undefined || !row.startsWith(`${identityOf(stat)} `)) return undefined;
      rows.set(path, row);
      return row.slice(row.lastIndexOf(" ") + 1);
    },
    set(path, stat, hash) {
      rows.set(path, `${identityOf(stat)} ${hash}`);
      isDirty = true;
    },
    save() {
      if (!isDirty && rows.size === old.size) return;
      // Files are read after the cache was opened, so this is the earliest time they can have changed.
      write(file, { folder: options.folder, rows, writtenNs: openedNs });
    },
  };
}

function identityOf(stat: BigIntStats): string {
  return `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino} ${stat.dev} ${
    stat.mode & 0o100n
  }`;
}

function load(file: string): Map<string, string> {
  const rows = new Map<string, string>();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return rows;
  }
  const end = text.indexOf("\n");
  const [magic, version, written, digest] = text.slice(0, end).split(" ");
  const body = text.slice(end + 1);
  if (`${magic} ${version}` !== MAGIC || digest !== digestOf(body)) return rows;
  const trustedBeforeNs = BigInt(written ?? 0) - GRANULE_NS;
  const fields = body.split("\0");
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const row = fields[at + 1] ?? "";
    if (isTrusted(row, trustedBeforeNs)) rows.set(fields[at] ?? "", row);
  }
  return rows;
}

function isTrusted(row: string, beforeNs: bigint): boolean {
  const [, mtimeNs = "", ctimeNs = ""] = row.split(" ", 3);
  return BigInt(mtimeNs) < beforeNs && BigInt(ctimeNs) < beforeNs;
}

interface WriteOptions {
  readonly folder: string;
  readonly rows: ReadonlyMap<string, string>;
  readonly writtenNs: bigint;
}

/** Two programs may write at once: each its own file, the last rename wins, both are whole. */
function write(file: string, options: WriteOptions): void {
  const body = Array.from(options.rows, ([path, row]) => `${path}\0${row}\0`).join("");
  const temporary = `${file}.${Deno.pid}.${Math.random().toString(36).slice(2)}`;
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(temporary, `${MAGIC} ${options.writtenNs} ${digestOf(body)}\n${body}`, {
      mode: 0o600,
    });
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function digestOf(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}
