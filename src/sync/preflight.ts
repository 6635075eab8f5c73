/** What is refused before a byte is sent. */
import { GridError } from "../core/errors.ts";
import { quoteAll } from "../core/shell.ts";
import { formatSize } from "../core/size.ts";
import type { Entry } from "./entry.ts";
import type { Place } from "./place.ts";
import type { Plan } from "./plan.ts";
import type { SyncTarget } from "./sync.ts";

/** Fewer than this may always go. */
const HANDFUL = 10;
/** Room that a small file takes on most file systems. */
const BLOCK_BYTES = 4096;

interface Where {
  readonly target: SyncTarget;
  readonly place: Place;
}

interface DeleteCheck extends Where {
  /** Absolute source folder. */
  readonly folder: string;
  /** The source. */
  readonly wanted: readonly Entry[];
  readonly known: readonly Entry[];
  readonly allowLargeDelete?: boolean;
  readonly ownExclude?: readonly string[];
  readonly excludeFrom?: string | undefined;
}

/** @throws {GridError} `sync` where all, or more than half of what is there, would go */
export function refuseLargeDelete(plan: Plan, check: DeleteCheck): void {
  const total = check.known.filter((entry) => entry.type !== "folder").length;
  const going = plan.remove.length;
  // Nothing at all is what an unmounted disk looks like.
  const isEmptied = going > 0 && check.wanted.every((entry) => entry.type === "folder");
  const isLarge = going > HANDFUL && going * 2 > total;
  if (check.allowLargeDelete || !(isEmptied || isLarge)) return;
  throw new GridError({
    code: "sync",
    message: `Cannot sync "${check.place.name}" to "${check.target.node}": ` +
      (isEmptied
        ? `the source is empty, and all ${going} files there would be deleted`
        : `${going} of ${total} files there would be deleted`),
    hint: `Check sync.from and the ignore rules. If this is meant: ${byHand(check)} --force`,
    node: check.target.node,
  });
}

/** The command that brings the same, with the same left out. */
function byHand({ folder, place, target, ownExclude = [], excludeFrom }: DeleteCheck): string {
  return quoteAll([
    ...["grid", "sync", folder, "--as", place.name, "--to", target.node],
    ...ownExclude.flatMap((pattern) => ["--exclude", pattern]),
    ...(excludeFrom === undefined ? [] : ["--exclude-from", excludeFrom]),
  ]);
}

interface SpaceCheck extends Where {
  readonly freeBytes: number | undefined;
}

/** @throws {GridError} `sync` where the files to send cannot fit */
export function refuseWithoutSpace(coming: readonly Entry[], check: SpaceCheck): void {
  if (check.freeBytes === undefined) return;
  const needed = coming.reduce((sum, entry) => sum + roomFor(entry), 0);
  if (needed <= check.freeBytes) return;
  throw new GridError({
    code: "sync",
    message: `Cannot sync "${check.place.name}" to "${check.target.node}": ` +
      `${formatSize(needed)} needed, ${formatSize(check.freeBytes)} free in ${check.place.root}`,
    hint: `Free some space there, for example: grid run --node ${check.target.node} "df -h"`,
    node: check.target.node,
  });
}

function roomFor(entry: Entry): number {
  return entry.type === "link" ? 0 : Math.ceil(Math.max(1, entry.size) / BLOCK_BYTES) * BLOCK_BYTES;
}
