/** Files that a node makes of what lies there already, instead of being sent them. */
import type { BlockSums, Piece } from "./block_match.ts";
import { type FileState, isSameState, mtimeSeconds, readState } from "./file_state.ts";
import type { SourceEntry } from "./hash.ts";
import { listOf } from "./manifest.ts";
import { readProblem } from "./read_problem.ts";
import type { TarWriter } from "./tar_writer.ts";

/** One file, and what it is made of; its hash is known, and the node proves that it came out so. */
export interface Edit {
  readonly entry: SourceEntry;
  /** Below the folder; undefined for what arrived of the file itself before a link broke. */
  readonly base: string | undefined;
  readonly pieces: readonly EditPiece[];
}

export type EditPiece = Piece | { readonly kind: "all" } | { readonly kind: "rest"; at: number };

/** What the sums of the base are of; needed where there are pieces of it. */
export interface EditSums {
  readonly sums?: BlockSums | undefined;
}

export interface PackedEdits {
  /** As they are on the node once it has made them. */
  readonly made: readonly SourceEntry[];
  /** Changed meanwhile: to be sent whole. */
  readonly stale: readonly SourceEntry[];
  /** Bytes of content that travelled. */
  readonly bytes: number;
  /** Lists for the archive. */
  readonly lists: Readonly<Record<string, string>>;
}

/** One `dd` on the node holds so much in memory. */
const MOST_DATA_BYTES = 2 ** 20;

export async function packEdits(
  edits: readonly (Edit & EditSums)[],
  { source, followSymlinks, archive }: {
    readonly source: string;
    readonly followSymlinks: boolean;
    readonly archive: TarWriter;
  },
): Promise<PackedEdits> {
  const made: SourceEntry[] = [];
  const stale: SourceEntry[] = [];
  const words: string[] = [];
  const sums: string[] = [];
  let bytes = 0;
  for (const [number, edit] of edits.entries()) {
    const { entry } = edit;
    const path = `${source}/${entry.path}`;
    await archive.text(`edit/${number}.ops`, operationsOf(edit));
    const count = await packData(edit, { path, name: `edit/${number}.data`, archive });
    if (count === undefined || !isStill(path, entry.state, followSymlinks)) {
      stale.push(entry);
      continue;
    }
    made.push(entry);
    bytes += count;
    words.push(`${number}\0${listOf([edit.base ?? "."])}${listOf([entry.path])}`);
    sums.push(`${entry.content.replace("sha256:", "")}\n`);
  }
  return { made, stale, bytes, lists: { edits: words.join(""), made: sums.join("") } };
}

function isStill(path: string, before: FileState, followSymlinks: boolean): boolean {
  try {
    const after = readState(path, followSymlinks);
    return after !== undefined && isSameState(before, after);
  } catch (error) {
    readProblem(path, error);
    return false;
  }
}

/** Lines for `make` in `apply.sh`: time and x-bit, then the pieces in order. */
export function operationsOf({ entry, pieces, sums }: Edit & EditSums): string {
  const lines = [`${stampOf(entry.state)} ${entry.executable ? "x" : "-"}`];
  for (const piece of pieces) {
    if (piece.kind === "all" || piece.kind === "rest") lines.push(piece.kind);
    else if (piece.kind === "copy") {
      lines.push(`copy ${sums?.blockBytes} ${piece.block} ${piece.count}`);
    } else {
      for (let left = piece.bytes; left > 0; left -= MOST_DATA_BYTES) {
        lines.push(`data ${Math.min(left, MOST_DATA_BYTES)}`);
      }
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** As `touch -t` reads it, in UTC. */
function stampOf(state: FileState): string {
  const digits = new Date(mtimeSeconds(state) * 1000).toISOString().replaceAll(/\D/g, "");
  return `${digits.slice(0, 12)}.${digits.slice(12, 14)}`;
}

interface DataOptions {
  readonly path: string;
  readonly name: string;
  readonly archive: TarWriter;
}

/** The bytes that no base has; undefined where they cannot be read any more. */
async function packData(edit: Edit, options: DataOptions): Promise<number | undefined> {
  const spans = edit.pieces.flatMap((piece) =>
    piece.kind === "data"
      ? [piece]
      : piece.kind === "rest"
      ? [{ at: piece.at, bytes: edit.entry.size - piece.at }]
      : []
  );
  const size = spans.reduce((sum, span) => sum + span.bytes, 0);
  await options.archive.header({
    path: options.name,
    type: "file",
    mode: 0o600,
    size,
    mtime: 0,
  });
  let isWhole = true;
  const read = openReader(options.path);
  let span = 0;
  let done = 0;
  try {
    await options.archive.large(size, (into) => {
      for (let at = 0; at < into.length;) {
        const { at: start, bytes } = spans[span]!;
        const count = Math.min(into.length - at, bytes - done);
        isWhole &&= read.fill(into.subarray(at, at + count), start + done);
        at += count;
        done += count;
        if (done === bytes) [span, done] = [span + 1, 0];
      }
    });
  } finally {
    read.close();
  }
  return isWhole ? size : undefined;
}

export interface FileReader {
  /** False where the file has ended, or is gone; zeros then. */
  fill(into: Uint8Array, at: number): boolean;
  close(): void;
}

/** Reads from any place of a file. What cannot be read is as if it was gone: nobody relies on it. */
export function openReader(path: string): FileReader {
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    readProblem(path, error);
  }
  return {
    fill(into, at) {
      file?.seekSync(at, Deno.SeekMode.Start);
      for (let done = 0; done < into.length;) {
        const count = file?.readSync(into.subarray(done)) ?? null;
        if (count === null) {
          into.fill(0, done);
          return false;
        }
        done += count;
      }
      return true;
    },
    close: () => file?.close(),
  };
}
