/**
 * The list of what Grid put into a folder. Its digest stands for the folder's whole wanted state, so
 * that comparing two digests answers "is there anything to do?".
 *
 * On a node it lies in three files: `facts` with a line for each entry, `files` and `folders` with
 * the paths in the same order, each ended by NUL. As one text they follow each other.
 */
import { createHash, hash } from "node:crypto";
import { asRelativePath } from "../core/relative_path.ts";
import { comparePaths, type Entry, type EntryType } from "./entry.ts";

/** First line of the text; the number changes with the format. */
const MAGIC = "grid-manifest 2";
const LETTERS: Readonly<Record<EntryType, string>> = { file: "f", link: "l", folder: "d" };

export interface Manifest {
  /** SHA-256 of the text, in hex. */
  readonly digest: string;
  /** Sorted by path. */
  readonly entries: readonly Entry[];
}

/** Of many files the text is long; it is made piece by piece, when somebody wants it. */
export class ManifestText {
  /** SHA-256 of the text, in hex. */
  readonly digest: string;
  readonly #entries: () => readonly Entry[];
  readonly #texts = new Map<string, readonly string[]>();
  #parts: { readonly leaves: readonly Entry[]; readonly folders: readonly Entry[] } | undefined;

  /** Entries must be sorted by path. @param digest where it is known already */
  constructor(entries: () => readonly Entry[], digest?: string) {
    this.#entries = entries;
    this.digest = digest ?? this.#sum();
  }

  #sum(): string {
    const digest = createHash("sha256");
    for (const piece of this.pieces()) digest.update(piece);
    return digest.digest("hex");
  }

  get #lists() {
    if (this.#parts === undefined) {
      const entries = this.#entries();
      this.#parts = {
        leaves: entries.filter((entry) => entry.type !== "folder"),
        folders: entries.filter((entry) => entry.type === "folder"),
      };
    }
    return this.#parts;
  }

  get text(): string {
    return [...this.pieces()].join("");
  }

  /** The text, piece by piece. */
  *pieces(): Generator<string> {
    yield `${MAGIC}\n`;
    yield* this.facts();
    yield "\0";
    yield* this.files();
    yield "\0";
    yield* this.folders();
  }

  files(): Iterable<string> {
    return this.#kept("files", () => pathsOf(this.#lists.leaves));
  }

  folders(): Iterable<string> {
    return this.#kept("folders", () => pathsOf(this.#lists.folders));
  }

  facts(): Iterable<string> {
    return this.#kept("facts", () => this.#makeFacts());
  }

  *#makeFacts(): Generator<string> {
    for (const entries of [this.#lists.leaves, this.#lists.folders]) {
      yield* inPieces(entries, (entry) => `${factsOf(entry)}\n`);
    }
  }

  /** Each is wanted more than once, and made once where it is not too long. */
  #kept(name: string, make: () => Iterable<string>): Iterable<string> {
    const { leaves, folders } = this.#lists;
    if (leaves.length + folders.length > MOST_KEPT) return make();
    const known = this.#texts.get(name);
    if (known !== undefined) return known;
    const pieces = [...make()];
    this.#texts.set(name, pieces);
    return pieces;
  }
}

/** Entries; of more of them nothing is kept. */
const MOST_KEPT = 30_000;
const ENTRIES_PER_PIECE = 500;

/** A long text piece by piece, so that it is never in memory as a whole. */
export function* inPieces<T>(items: readonly T[], textOf: (item: T) => string): Generator<string> {
  for (let at = 0; at < items.length; at += ENTRIES_PER_PIECE) {
    let text = "";
    const end = Math.min(at + ENTRIES_PER_PIECE, items.length);
    for (let one = at; one < end; one++) text += textOf(items[one]!);
    yield text;
  }
}

/** Their list for the tools of a node, see `listOf`, piece by piece. */
export function pathsOf(entries: readonly Entry[]): Generator<string> {
  return inPieces(entries, ({ path }) => listed(path));
}

/** Entries must be sorted by path. */
export function writeManifest(entries: readonly Entry[]): ManifestText {
  return new ManifestText(() => entries);
}

/** A list of paths for the tools of a node, each ended by NUL. A plain `-` would be their input. */
export function listOf(paths: readonly string[]): string {
  return paths.map(listed).join("");
}

function listed(path: string): string {
  return `${path === "-" ? "./-" : path}\0`;
}

/** One line, without its end. */
export function factsOf(entry: Entry): string {
  // A link's target may hold a new line.
  const content = entry.type === "link" ? JSON.stringify(entry.content) : entry.content;
  return `${LETTERS[entry.type]}${entry.executable ? "x" : "-"}${entry.size} ${content}`;
}

/** Undefined where the text is not, byte for byte, what the digest promises. */
export function readManifest(text: string, digest: string): Manifest | undefined {
  if (!text.startsWith(`${MAGIC}\n`) || hash("sha256", text) !== digest) return undefined;
  const [facts = "", ...paths] = text.slice(MAGIC.length + 1).split("\0");
  const lines = facts.split("\n");
  // An empty path ends the list of files, another the list of folders.
  const entries = paths.filter((path) => path !== "")
    .flatMap((path, at) => readEntry(path, lines[at] ?? "") ?? []);
  if (entries.length !== lines.length - 1) return undefined;
  return { digest, entries: entries.toSorted((a, b) => comparePaths(a.path, b.path)) };
}

/** An entry of a list and its line of facts; undefined where they are none. */
export function readEntry(listed: string, line: string): Entry | undefined {
  const type = typeOf(line[0]);
  const path = asRelativePath(listed.replace(/^\.\/-$/, "-"), { allowControls: true });
  if (type === undefined || path === undefined) return undefined;
  const end = line.indexOf(" ");
  const content = line.slice(end + 1);
  return {
    path,
    type,
    executable: line[1] === "x",
    size: Number(line.slice(2, end)),
    content: type === "link" ? readTarget(content) : content,
  };
}

function readTarget(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

function typeOf(letter: string | undefined): EntryType | undefined {
  switch (letter) {
    case "f":
      return "file";
    case "l":
      return "link";
    case "d":
      return "folder";
    default:
      return undefined;
  }
}
