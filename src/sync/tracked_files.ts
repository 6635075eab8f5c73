/** Which files git holds, read from its index: starting git costs more than a sync. */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { findRepository, ownGitFolder } from "./repository.ts";

/** Format: https://git-scm.com/docs/index-format */
const FIXED_BYTES = 40;

export interface GitIndex {
  /** Paths below the top of the repository; a submodule stands for itself. */
  readonly paths: ReadonlySet<string>;
  /** Every folder above them. */
  readonly folders: ReadonlySet<string>;
}

/** Of the repository around a folder, and of those inside. */
export class TrackedFiles {
  readonly #source: string;
  readonly #borders: ReadonlySet<string>;
  readonly #indexes = new Map<string, GitIndex | undefined>();

  readonly #reading: (path: string) => void;

  /**
   * @param borders folders below the source that are repositories; may grow
   * @param reading hears the absolute path of what is about to be read
   */
  constructor(source: string, { borders, reading }: {
    readonly borders: ReadonlySet<string>;
    readonly reading: (path: string) => void;
  }) {
    this.#source = source;
    this.#borders = borders;
    this.#reading = reading;
  }

  /** Whether git holds a path of the source, or something below it. */
  find(path: string): "itself" | "below" | undefined {
    let border = "";
    for (const folder of this.#borders) {
      if (path.startsWith(`${folder}/`) && folder.length > border.length) border = folder;
    }
    const root = border === "" ? findRepository(this.#source) : join(this.#source, border);
    if (root === undefined) return undefined;
    if (!this.#indexes.has(root)) {
      const folder = ownGitFolder(root);
      for (const name of ["index", "config"]) this.#reading(join(folder, name));
      this.#indexes.set(root, readGitIndex(folder));
    }
    const index = this.#indexes.get(root);
    const inside = relative(root, join(this.#source, path));
    if (index?.paths.has(inside)) return "itself";
    return index?.folders.has(inside) ? "below" : undefined;
  }
}

/**
 * @param gitFolder of the work tree itself
 * @returns undefined where there is none, or one of a form that git can split or shorten
 */
export function readGitIndex(gitFolder: string): GitIndex | undefined {
  const bytes = readBytes(join(gitFolder, "index"));
  if (bytes === undefined) return undefined;
  const hashBytes = /^\s*objectformat\s*=\s*sha256\s*$/im.test(
      readBytes(join(gitFolder, "config"))?.toString("utf8") ?? "",
    )
    ? 32
    : 20;
  return parseGitIndex(bytes, hashBytes);
}

export function parseGitIndex(bytes: Buffer, hashBytes: number): GitIndex | undefined {
  if (bytes.length < 12 || bytes.toString("latin1", 0, 4) !== "DIRC") return undefined;
  const version = bytes.readUInt32BE(4);
  if (version < 2 || version > 4) return undefined;
  const paths = new Set<string>();
  const folders = new Set<string>();
  let at = 12;
  let name = Buffer.alloc(0);
  for (let left = bytes.readUInt32BE(8); left > 0; left--) {
    const flagsAt = at + FIXED_BYTES + hashBytes;
    if (flagsAt + 2 > bytes.length) return undefined;
    const mode = bytes.readUInt32BE(at + 24);
    let nameAt = flagsAt + ((bytes.readUInt16BE(flagsAt) & 0x4000) !== 0 && version > 2 ? 4 : 2);
    let keep = 0;
    if (version === 4) {
      // How many bytes of the name before are not this one's.
      const [cut, next] = offsetAt(bytes, nameAt);
      keep = name.length - cut;
      nameAt = next;
    }
    const end = bytes.indexOf(0, nameAt);
    if (end < 0 || keep < 0) return undefined;
    name = Buffer.concat([name.subarray(0, keep), bytes.subarray(nameAt, end)]);
    // A folder of a sparse index, whose files it does not name.
    if (mode === 0o40000) return undefined;
    addPath(name.toString("utf8"), { paths, folders });
    at = version === 4 ? end + 1 : at + ((nameAt - at + (end - nameAt) + 8) & ~7);
  }
  // A split index names the rest elsewhere.
  return bytes.toString("latin1", at, at + 4) === "link" ? undefined : { paths, folders };
}

function addPath(
  path: string,
  { paths, folders }: { readonly paths: Set<string>; readonly folders: Set<string> },
): void {
  paths.add(path);
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    const folder = path.slice(0, end);
    if (folders.has(folder)) return;
    folders.add(folder);
  }
}

/** A number of git's packed offsets, and where the next field begins. */
function offsetAt(bytes: Buffer, from: number): readonly [number, number] {
  let at = from;
  let byte = bytes[at++] ?? 0;
  let value = byte & 0x7f;
  while ((byte & 0x80) !== 0 && at < bytes.length) {
    byte = bytes[at++] ?? 0;
    value = ((value + 1) << 7) | (byte & 0x7f);
  }
  return [value, at];
}

function readBytes(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
