/** What `pack_thread.ts` and its thread say to each other; long lists travel as few large values. */
import type { EntryType } from "./entry.ts";
import type { FileState } from "./file_state.ts";
import type { SourceEntry } from "./hash.ts";
import type { Skipped } from "./read_problem.ts";

export type PackOrder =
  | {
    readonly start: EntryColumns;
    readonly source: string;
    readonly prefix: string;
    readonly useChecksums: boolean;
    readonly followSymlinks: boolean;
  }
  /** One block was taken. */
  | { readonly taken: true };

export type PackAnswer =
  | { readonly ready: true }
  | { readonly block: Uint8Array; readonly files: number }
  | {
    readonly done: {
      /** Of all entries, as they are now. */
      readonly contents: string;
      /** Those that changed since they were looked at, with their place in the list. */
      readonly changed: readonly (readonly [number, SourceEntry])[];
      /** Those that could not be read, with theirs. */
      readonly torn: readonly (readonly [number, Skipped])[];
      readonly bytes: number;
    };
  }
  | { readonly failed: string };

export interface EntryColumns {
  /** Each ended by NUL. */
  readonly paths: string;
  readonly contents: string;
  readonly types: Uint8Array;
  readonly numbers: Float64Array;
}

const TYPES: readonly EntryType[] = ["file", "link", "folder"];
const KINDS: readonly FileState["kind"][] = [
  "file",
  "folder",
  "link",
  "socket",
  "pipe",
  "device",
];
/** Of one entry. */
const NUMBERS = 8;
const NUL = "\0";

export function toColumns(entries: readonly SourceEntry[]): EntryColumns {
  const types = new Uint8Array(entries.length);
  const numbers = new Float64Array(entries.length * NUMBERS);
  for (const [at, { type, executable, size, state }] of entries.entries()) {
    types[at] = TYPES.indexOf(type) * 2 + Number(executable);
    const { mtimeMs, ctimeMs, ino, dev, mode } = state;
    const all = [size, state.size, mtimeMs, ctimeMs, ino, dev, mode, KINDS.indexOf(state.kind)];
    numbers.set(all, at * NUMBERS);
  }
  return {
    paths: entries.map((entry) => entry.path + NUL).join(""),
    contents: joinContents(entries),
    types,
    numbers,
  };
}

export function fromColumns({ paths, contents, types, numbers }: EntryColumns): SourceEntry[] {
  const content = contents.split(NUL);
  return paths.split(NUL).slice(0, -1).map((path, at) => {
    const [size = 0, bytes = 0, mtimeMs = 0, ctimeMs = 0, ino = 0, dev = 0, mode = 0, kind = 0] =
      numbers.subarray(at * NUMBERS, (at + 1) * NUMBERS);
    const type = types[at] ?? 0;
    return {
      path,
      type: typeOfColumn(type),
      executable: (type & 1) === 1,
      size,
      content: content[at] ?? "",
      state: { kind: KINDS[kind] ?? "device", size: bytes, mtimeMs, ctimeMs, ino, dev, mode },
    };
  });
}

/** Of a number in `types`. */
export function typeOfColumn(type: number): EntryType {
  return TYPES[type >> 1] ?? "file";
}

export function joinContents(entries: readonly SourceEntry[]): string {
  return entries.map((entry) => entry.content + NUL).join("");
}

export function splitContents(contents: string): string[] {
  return contents.split(NUL).slice(0, -1);
}
