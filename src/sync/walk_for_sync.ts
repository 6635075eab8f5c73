/** The walk of a sync: the options' rules, and what must never be copied into itself. */
import { relative } from "node:path";
import { openIgnoreRules } from "./ignore.ts";
import type { SyncOptions, SyncTarget } from "./sync.ts";
import { type Walk, walkSource } from "./walk.ts";

export function walkForSync(options: SyncOptions, targets: readonly SyncTarget[]): Promise<Walk> {
  const rules = openIgnoreRules({
    ...options,
    exclude: [...options.exclude, ...workspacesInside(options.source, targets)],
  });
  return walkSource({ ...options, rules });
}

/** A workspace on this machine may lie inside the source; it must not be copied into itself. */
function workspacesInside(source: string, targets: readonly SyncTarget[]): string[] {
  return targets.filter((target) => target.transport.endpoint.transport === "local")
    .map((target) => relative(source, target.root))
    .filter((path) => path !== "" && path !== ".." && !path.startsWith("../"))
    .map((path) => `/${path.replaceAll(/[\\*?[\] ]/g, "\\$&")}/`);
}
