/** What a node says it has for a fetch: names from the other side, believed only once they are checked. */
import { GridError } from "../core/errors.ts";
import { asRelativePath, type RelativePath, relativePathFault } from "../core/relative_path.ts";
import { comparePaths } from "./entry.ts";

export interface FoundOptions {
  /** Where the node was told to look: `.`, or `./` and a path. */
  readonly starts: readonly string[];
  readonly node: string;
}

export interface FoundNames {
  /** Sorted, none twice. */
  readonly paths: readonly RelativePath[];
  /** Names that cannot be written here as they are, made printable. */
  readonly odd: readonly string[];
}

/**
 * @param list names as the node printed them, each ended by NUL
 * @throws {GridError} `sync` for a name that nobody asked for
 */
export function readFoundNames(list: Uint8Array, options: FoundOptions): FoundNames {
  const paths = new Set<RelativePath>();
  const odd = new Set<string>();
  for (const bytes of splitAtNul(list)) {
    const text = strictText(bytes);
    // The node was asked to look below `.`.
    const name = text?.replace(/^\.\//, "");
    const path = name === undefined ? undefined : asRelativePath(name, { allowControls: true });
    if (name !== undefined && path === undefined) throw refused(name, options);
    if (path === undefined || asRelativePath(path) === undefined) {
      odd.add(printable(new TextDecoder().decode(bytes)).replace(/^\.\//, ""));
      continue;
    }
    if (!isAskedFor(path, options.starts)) throw refused(path, options);
    paths.add(path);
  }
  return { paths: [...paths].toSorted(comparePaths), odd: [...odd].toSorted(comparePaths) };
}

/** git's and Grid's own folders stay where they are: what lies in them runs, or is believed. */
export function isPrivate(path: string): boolean {
  return /(?:^|\/)\.(?:git|grid)(?:\/|$)/i.test(path);
}

function isAskedFor(path: RelativePath, starts: readonly string[]): boolean {
  if (isPrivate(path)) return false;
  return starts.some((start) =>
    start === "." || `./${path}` === start || `./${path}`.startsWith(`${start}/`)
  );
}

function refused(name: string, { node }: FoundOptions): GridError {
  const fault = relativePathFault(name, { allowControls: true });
  return new GridError({
    code: "sync",
    message: `Cannot fetch from "${node}": it named "${printable(name)}", which ` +
      (fault ?? "was not asked for"),
    hint: `Nothing was written. Check what find and tar are on ${node}`,
    node,
  });
}

function* splitAtNul(list: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < list.length;) {
    const end = list.indexOf(0, from);
    yield list.subarray(from, end < 0 ? list.length : end);
    from = end < 0 ? list.length : end + 1;
  }
}

function strictText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Names may hold anything, also what a terminal would obey. */
function printable(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, "�").slice(0, 300);
}
