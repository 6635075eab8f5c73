/** Brings back what the last sync of a folder moved aside on a node. */
import { GridError } from "../core/errors.ts";
import { quoteAll } from "../core/shell.ts";
import { nodeProgram } from "../transport/node_program.ts";
import { keepStamp } from "./drift.ts";
import { printable } from "./fetch_listing.ts";
import type { Place } from "./place.ts";
import type { SyncTarget } from "./sync.ts";

export interface Undone {
  readonly node: string;
  /** Absolute folder on the node. */
  readonly folder: string;
  /** Paths that are back; empty where no sync has moved anything aside. */
  readonly files: readonly string[];
}

export interface UndoOptions {
  readonly target: SyncTarget;
  readonly place: Place;
  readonly signal: AbortSignal;
}

/** @throws {GridError} a transport code, `conflict` while a sync is under way, or `sync` */
export async function undoSync({ target, place, signal }: UndoOptions): Promise<Undone> {
  const words = quoteAll([place.root, place.name, place.key, keepStamp()]);
  // In a subshell: the script leaves it, and the shell is shared.
  const command = `(set -- ${words}\n${nodeProgram("undo.sh", import.meta.url)})`;
  const answer = await target.transport.exec(command, { signal });
  const [first = "", ...files] = answer.stdout.split("\n").filter((line) => line !== "");
  const said = answer.code === 0 ? /^grid-undo (\S+)$/.exec(first)?.[1] : undefined;
  const what = `Cannot bring back what was moved aside in "${place.name}" on "${target.node}"`;
  if (said === undefined) {
    const words = printable(answer.stderr.trim().split("\n").at(-1) ?? "");
    throw new GridError({
      code: "sync",
      message: `${what}: ${words || "something stands in the way, such as a link"}`,
      hint: `What is not back yet lies in ${place.root}/.grid/sync/${place.key}/kept`,
      node: target.node,
    });
  }
  if (said === "locked") {
    throw new GridError({
      code: "conflict",
      message: `${what}: a sync is under way`,
      hint: "Wait for it, then try again",
      node: target.node,
    });
  }
  return { node: target.node, folder: place.folder, files: said === "none" ? [] : files };
}
