/**
 * The list of what Grid put into a folder. Its digest stands for the folder's whole wanted state, so
 * that comparing two digests answers "is there anything to do?".
 *
 * On a node it lies in three files: `facts` with a line for each entry, `files` and `folders` with
 * the paths in the same order, each ended by NUL. As one text they follow each other.
 */
import { hash } from "node:crypto";
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

export interface ManifestText {
  readonly digest: string;
  readonly text: string;
  readonly facts: string;
  readonly files: string;
  readonly folders: string;
}

/** Entries must be sorted by path. */
export function writeManifest(entries: readonly Entry[]): ManifestText {
  const leaves = entries.filter((entry) => entry.type !== "folder");
  const folders = entries.filter((entry) => entry.type === "folder");
  const parts = {
    facts: [...leaves, ...folders].map((entry) => `${factsOf(entry)}\n`).join(""),
    files: listOf(leaves.map((entry) => entry.path)),
    folders: listOf(folders.map((entry) => entry.path)),
  };
  const text = `${MAGIC}\n${parts.facts}\0${parts.files}\0${parts.folders}`;
  return { ...parts, text, digest: hash("sha256", text) };
}

/** A list of paths for the tools of a node, each ended by NUL. A plain `-` would be their input. */
export function listOf(paths: readonly string[]): string {
  return paths.map((path) => `${path === "-" ? "./-" : path}\0`).join("");
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

function readEntry(listed: string, line: string): Entry | undefined {
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
