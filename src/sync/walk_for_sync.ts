/** The walk of a sync: the options' rules, and what must never be copied into itself. */
import { statSync } from "node:fs";
import { basename, dirname, relative } from "node:path";
import { printable } from "./fetch_listing.ts";
import { openIgnoreRules } from "./ignore.ts";
import { lfsPointers } from "./lfs.ts";
import type { SyncOptions, SyncTarget } from "./sync.ts";
import { type Walk, walkSource } from "./walk.ts";

/** The source as a folder: of a single file the one that it lies in, and its name. */
export function asFolder(options: SyncOptions): SyncOptions {
  const isFile = statSync(options.source, { throwIfNoEntry: false })?.isFile() ?? false;
  if (!isFile) return options;
  return { ...options, source: dirname(options.source), only: basename(options.source) };
}

/** `options` as `asFolder` gives them. */
export async function walkForSync(
  options: SyncOptions,
  targets: readonly SyncTarget[],
): Promise<Walk> {
  const rules = openIgnoreRules({
    ...options,
    exclude: [...options.exclude, ...workspacesInside(options.source, targets)],
  });
  const walk = await walkSource({ ...options, rules });
  tellPointers(lfsPointers(options.source, walk.found), options);
  return walk;
}

function tellPointers(paths: readonly string[], { tell, tree }: SyncOptions): void {
  if (paths.length === 0) return;
  const shown = paths.slice(0, 5).map(printable).join(", ");
  const more = paths.length > 5 ? ` and ${paths.length - 5} more` : "";
  (tell ?? tree?.tell)?.(
    `Only a pointer of Git LFS, without its content: ${shown}${more}; get it with: git lfs pull`,
  );
}

/** A workspace on this machine may lie inside the source; it must not be copied into itself. */
function workspacesInside(source: string, targets: readonly SyncTarget[]): string[] {
  return targets.filter((target) => target.transport.endpoint.transport === "local")
    .map((target) => relative(source, target.root))
    .filter((path) => path !== "" && path !== ".." && !path.startsWith("../"))
    .map((path) => `/${path.replaceAll(/[\\*?[\] ]/g, "\\$&")}/`);
}
