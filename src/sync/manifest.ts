/**
 * The list of what Grid put into a folder. Its digest stands for the folder's whole wanted state, so
 * that comparing two digests answers "is there anything to do?".
 */
import { createHash } from "node:crypto";
import type { Entry, EntryType } from "./entry.ts";

/** First line of the file; the number changes with the format. */
const MAGIC = "grid-manifest 1";
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
}

/** The text that lies on the node as `manifest`. Entries must be sorted by path. */
export function writeManifest(entries: readonly Entry[]): ManifestText {
  const parts = entries.map((entry) =>
    `${LETTERS[entry.type]}${
      entry.executable ? "x" : "-"
    }${entry.size}\0${entry.content}\0${entry.path}\0`
  );
  const text = `${MAGIC}\n${parts.join("")}`;
  return { text, digest: digestOf(text) };
}

/** Undefined where the text is not, byte for byte, what the digest promises. */
export function readManifest(text: string, digest: string): Manifest | undefined {
  if (!text.startsWith(`${MAGIC}\n`) || digestOf(text) !== digest) return undefined;
  const fields = text.slice(MAGIC.length + 1).split("\0");
  const entries: Entry[] = [];
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [facts = "", content = "", path = ""] = fields.slice(at, at + 3);
    const type = typeOf(facts[0]);
    if (type === undefined) return undefined;
    entries.push({
      path,
      type,
      executable: facts[1] === "x",
      size: Number(facts.slice(2)),
      content,
    });
  }
  return { digest, entries };
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

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
