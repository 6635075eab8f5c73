/** Reads what has to go to a node, and says what really went. */
import { createHash, hash } from "node:crypto";
import { GridError } from "../core/errors.ts";
import {
  type FileState,
  isExecutable,
  isSameState,
  mtimeSeconds,
  readState,
} from "./file_state.ts";
import { contentByTime, READ_ATTEMPTS, type SourceEntry } from "./hash.ts";
import { readProblem, type Skipped } from "./read_problem.ts";
import type { TarWriter } from "./tar_writer.ts";

export interface ReadOptions {
  readonly source: string;
  readonly useChecksums: boolean;
  readonly followSymlinks: boolean;
  /** Hears of each file that is there as a whole, in bytes. */
  readonly packedFile?: (bytes: number) => void;
}

export interface PackOptions extends ReadOptions {
  /** Path inside the archive before every entry's path, with its `/`. */
  readonly prefix: string;
  readonly archive: TarWriter;
}

/** Where entries go to. */
export interface EntryWriter {
  /** A link or a folder. */
  other(entry: SourceEntry): void | Promise<void>;
  /**
   * As many bytes as the entry says, filled in by `read`; one of the same path again replaces it.
   *
   * @returns their SHA-256 in hex
   */
  file(entry: SourceEntry, read: (into: Uint8Array) => void): string | Promise<string>;
}

export interface Packed {
  /** What travelled, as it really was: a file may have changed since the plan was made. */
  readonly sent: readonly SourceEntry[];
  /** Files that never stood still, are gone or cannot be read. */
  readonly torn: readonly Skipped[];
  /** Bytes of file content. */
  readonly bytes: number;
}

/** As one tar stream. */
export function packEntries(
  entries: readonly SourceEntry[],
  { archive, prefix, ...options }: PackOptions,
): Promise<Packed> {
  return takeEntries(entries, { ...options, writer: archiveWriter(archive, prefix) });
}

export async function takeEntries(
  entries: readonly SourceEntry[],
  options: ReadOptions & { readonly writer: EntryWriter },
): Promise<Packed> {
  const sent: SourceEntry[] = [];
  const torn: Skipped[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (entry.type !== "file") {
      await options.writer.other(entry);
      sent.push(entry);
      continue;
    }
    const taken = await takeFile(entry, options);
    if ("reason" in taken) torn.push(taken);
    else {
      sent.push(taken);
      bytes += taken.size;
      options.packedFile?.(taken.size);
    }
  }
  return { sent, torn, bytes };
}

/** A later member of the same name replaces the earlier one, so a file can simply be written again. */
function archiveWriter(archive: TarWriter, prefix: string): EntryWriter {
  return {
    other: (entry) => archive.header({ ...memberOf(entry, prefix), target: entry.content }),
    async file(entry, read) {
      await archive.header(memberOf(entry, prefix));
      const small = await archive.small(entry.size, read);
      if (small !== undefined) return hash("sha256", small);
      const sum = createHash("sha256");
      await archive.large(entry.size, (into) => {
        read(into);
        sum.update(into);
      });
      return sum.digest("hex");
    },
  };
}

function memberOf(entry: SourceEntry, prefix: string) {
  return {
    path: prefix + entry.path,
    type: entry.type,
    mode: modeOf(entry),
    size: entry.size,
    mtime: mtimeSeconds(entry.state),
  };
}

export function modeOf({ type, executable }: SourceEntry): number {
  return type === "file" && !executable ? 0o644 : 0o755;
}

async function takeFile(
  entry: SourceEntry,
  options: ReadOptions & { readonly writer: EntryWriter },
): Promise<SourceEntry | Skipped> {
  const path = `${options.source}/${entry.path}`;
  let before: FileState | undefined = entry.state;
  try {
    for (let attempt = 1; attempt <= READ_ATTEMPTS && before?.kind === "file"; attempt++) {
      const read = await writeFile({ ...entry, ...factsOf(before) }, { ...options, path });
      const after = readState(path, options.followSymlinks);
      if (read.isWhole && after !== undefined && isSameState(before, after)) {
        if (before !== entry.state || (entry.content !== "" && entry.content !== read.content)) {
          return { ...entry, ...factsOf(after), content: read.content };
        }
        entry.content = read.content;
        return entry;
      }
      before = after;
    }
  } catch (error) {
    // It could be read, but not written.
    if (error instanceof GridError) throw error;
    return readProblem(entry.path, error);
  }
  return { path: entry.path, reason: "it changed while it was being sent", isUnread: true };
}

function factsOf(state: FileState) {
  return { size: state.size, executable: isExecutable(state), state };
}

interface Written {
  readonly content: string;
  readonly isWhole: boolean;
}

/** Writes exactly as many bytes as the entry promises, whatever the file does meanwhile. */
async function writeFile(
  entry: SourceEntry,
  { path, writer, useChecksums }: ReadOptions & {
    readonly path: string;
    readonly writer: EntryWriter;
  },
): Promise<Written> {
  using file = Deno.openSync(path);
  let isWhole = true;
  const sum = await writer.file(entry, (into) => {
    // A file that became shorter leaves zeros, and is written once more by the caller.
    if (fill(file, into) < into.length) isWhole = false;
  });
  return { content: useChecksums ? `sha256:${sum}` : contentByTime(entry.state), isWhole };
}

/** Reads until the buffer is full or the file ends; what is missing becomes zeros. */
function fill(file: Deno.FsFile, buffer: Uint8Array): number {
  let at = 0;
  while (at < buffer.length) {
    const count = file.readSync(buffer.subarray(at));
    if (count === null) break;
    at += count;
  }
  buffer.fill(0, at);
  return at;
}
