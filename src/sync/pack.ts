/** Writes what has to travel as one tar stream, and says what really went into it. */
import { createHash, hash } from "node:crypto";
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

export interface PackOptions {
  readonly source: string;
  readonly useChecksums: boolean;
  readonly followSymlinks: boolean;
  /** Path inside the archive before every entry's path, with its `/`. */
  readonly prefix: string;
  readonly archive: TarWriter;
  /** Hears of each file that is in the archive as a whole, in bytes. */
  readonly packedFile?: (bytes: number) => void;
}

export interface Packed {
  /** What travelled, as it really was: a file may have changed since the plan was made. */
  readonly sent: readonly SourceEntry[];
  /** Files that never stood still, are gone or cannot be read. */
  readonly torn: readonly Skipped[];
  /** Bytes of file content. */
  readonly bytes: number;
}

export async function packEntries(
  entries: readonly SourceEntry[],
  options: PackOptions,
): Promise<Packed> {
  const sent: SourceEntry[] = [];
  const torn: Skipped[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (entry.type !== "file") {
      await options.archive.header({ ...memberOf(entry, options), target: entry.content });
      sent.push(entry);
      continue;
    }
    const packed = await packFile(entry, options);
    if ("reason" in packed) torn.push(packed);
    else {
      sent.push(packed);
      bytes += packed.size;
      options.packedFile?.(packed.size);
    }
  }
  return { sent, torn, bytes };
}

function memberOf(entry: SourceEntry, options: Pick<PackOptions, "prefix">) {
  const isPlainFile = entry.type === "file" && !entry.executable;
  return {
    path: options.prefix + entry.path,
    type: entry.type,
    mode: isPlainFile ? 0o644 : 0o755,
    size: entry.size,
    mtime: mtimeSeconds(entry.state),
  };
}

/** A later member of the same name replaces the earlier one, so a file can simply be written again. */
async function packFile(entry: SourceEntry, options: PackOptions): Promise<SourceEntry | Skipped> {
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
    return readProblem(entry.path, error);
  }
  return { path: entry.path, reason: "it changed while it was being sent", isUnread: true };
}

function factsOf(state: FileState) {
  return { size: state.size, executable: isExecutable(state), state };
}

interface WriteOptions extends PackOptions {
  readonly path: string;
}

interface Written {
  readonly content: string;
  readonly isWhole: boolean;
}

/** Writes exactly as many bytes as the header promises, whatever the file does meanwhile. */
async function writeFile(entry: SourceEntry, options: WriteOptions): Promise<Written> {
  const { archive } = options;
  using file = Deno.openSync(options.path);
  await archive.header(memberOf(entry, options));
  let isWhole = true;
  const read = (into: Uint8Array) => {
    // A file that became shorter leaves zeros, and is written once more by the caller.
    if (fill(file, into) < into.length) isWhole = false;
  };
  const small = await archive.small(entry.size, read);
  if (small !== undefined) {
    return {
      content: contentOf(entry.state, options, () => hash("sha256", small)),
      isWhole,
    };
  }
  const own = createHash("sha256");
  await archive.large(entry.size, (into) => {
    read(into);
    own.update(into);
  });
  return {
    content: contentOf(entry.state, options, () => own.digest("hex")),
    isWhole,
  };
}

function contentOf(state: FileState, options: PackOptions, digest: () => string): string {
  return options.useChecksums ? `sha256:${digest()}` : contentByTime(state);
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
