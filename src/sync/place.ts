/** Where things lie on a node. */
import { join } from "node:path/posix";
import { digestOf } from "../core/digest.ts";
import { GridError } from "../core/errors.ts";

export interface Place {
  /** Absolute `remote_root`. */
  readonly root: string;
  /** Folder below the root, as asked for. */
  readonly name: string;
  /** File name under `<root>/.grid/sync/` for what Grid remembers about the folder. */
  readonly key: string;
  /** Absolute. */
  readonly folder: string;
}

/** @throws {GridError} `usage` for a name that leaves the root or belongs to Grid */
export function placeOf(root: string, name: string): Place {
  const parts = name.split("/");
  const isPlain = parts.every((part) => part !== "" && part !== "." && part !== "..");
  if (!isPlain || /[\0\n]/.test(name + root) || parts[0] === ".grid") {
    throw new GridError({
      code: "usage",
      message: `Cannot sync to "${name}": it is not a folder name below the workspace`,
      hint: "Give sync.as a plain name, for example: as: project",
    });
  }
  return { root, name, key: keyOf(name), folder: join(root, name) };
}

/** Readable where the name is harmless; always different for different names. */
function keyOf(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(name)) return name;
  const digest = digestOf(name).slice(0, 16);
  return `+${name.replaceAll(/[^A-Za-z0-9_.-]/g, "_").slice(0, 40)}-${digest}`;
}

/**
 * Key of the record of a folder that Grid itself named: a plain folder, or a tree beside one. Undefined
 * for what is no such name.
 */
export function keyOfTree(name: string): string | undefined {
  const [, plain = name, suffix = ""] = /^(.+?)(@[0-9a-f]{8}(?:\.\d{1,4})?)?$/s.exec(name) ?? [];
  try {
    return placeOf("/", plain).key + suffix;
  } catch (error) {
    if (error instanceof GridError) return undefined;
    throw error;
  }
}
