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
  | { readonly taken: true }
  /** Of a block that nobody looks at any more. */
  | { readonly spare: ArrayBuffer };

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
  for (let at = 0; at < entries.length; at++) {
    const { type, executable, size, state } = entries[at]!;
    types[at] = TYPES.indexOf(type) * 2 + Number(executable);
    // One by one: of many entries a list for each takes longer than all the rest.
    const first = at * NUMBERS;
    numbers[first] = size;
    numbers[first + 1] = state.size;
    numbers[first + 2] = state.mtimeMs;
    numbers[first + 3] = state.ctimeMs;
    numbers[first + 4] = state.ino;
    numbers[first + 5] = state.dev;
    numbers[first + 6] = state.mode;
    numbers[first + 7] = KINDS.indexOf(state.kind);
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
    const type = types[at] ?? 0;
    return {
      path,
      type: typeOfColumn(type),
      executable: (type & 1) === 1,
      size: numbers[at * NUMBERS] ?? 0,
      content: content[at] ?? "",
      // At once: an accessor each takes five times as long.
      state: stateAt(numbers, at * NUMBERS),
    };
  });
}

function stateAt(numbers: Float64Array, first: number): FileState {
  const numberOf = (place: number) => numbers[first + place] ?? 0;
  return {
    kind: KINDS[numberOf(7)] ?? "device",
    size: numberOf(1),
    mtimeMs: numberOf(2),
    ctimeMs: numberOf(3),
    ino: numberOf(4),
    dev: numberOf(5),
    mode: numberOf(6),
  };
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
