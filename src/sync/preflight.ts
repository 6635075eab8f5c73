/** What is refused before a byte is sent. */
import { GridError } from "../core/errors.ts";
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
  readonly known: readonly Entry[];
  readonly allowLargeDelete?: boolean;
}

/** @throws {GridError} `sync` where more than half of what is there would go */
export function refuseLargeDelete(plan: Plan, check: DeleteCheck): void {
  const total = check.known.filter((entry) => entry.type !== "folder").length;
  const going = plan.remove.length;
  if (check.allowLargeDelete || going <= HANDFUL || going * 2 <= total) return;
  throw new GridError({
    code: "sync",
    message: `Cannot sync "${check.place.name}" to "${check.target.node}": ` +
      `${going} of ${total} files there would be deleted`,
    hint: "Check sync.from and the ignore rules. If this is meant, move " +
      `${check.place.folder} away on ${check.target.node} and sync again`,
    node: check.target.node,
  });
}

interface SpaceCheck extends Where {
  readonly freeBytes: number | undefined;
}

/** @throws {GridError} `sync` where the files to send cannot fit */
export function refuseWithoutSpace(plan: Plan, check: SpaceCheck): void {
  if (check.freeBytes === undefined) return;
  const needed = plan.send.reduce((sum, entry) => sum + roomFor(entry), 0);
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
