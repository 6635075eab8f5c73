/** Asks a node whether a folder is as the last sync left it: one round trip, nothing is changed. */
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import { quoteAll } from "../core/shell.ts";
import type { Place } from "./place.ts";
import type { SyncTarget } from "./sync.ts";
import { nodeProgram } from "../transport/node_program.ts";

export interface CheckAnswer {
  /** Digest of the manifest there; undefined where no sync was ever finished. */
  readonly digest: string | undefined;
  /** Whether everything in that manifest is as it was left. */
  readonly isAsLeft: boolean;
}

export interface CheckOptions {
  readonly target: SyncTarget;
  readonly place: Place;
  readonly signal: AbortSignal;
}

/** A hundred thousand files on a busy disk; a node that is gone is noticed long before. */
const LOOK_MS = 15 * 60_000;

/** @throws {GridError} a transport code, or `sync` where the answer makes no sense */
export async function checkNode({ target, place, signal }: CheckOptions): Promise<CheckAnswer> {
  const words = quoteAll([place.root, place.name, place.key]);
  const command = `set -- ${words}\n${nodeProgram("check.sh", import.meta.url)}`;
  const answer = await target.transport.exec(command, { signal, timeoutMs: LOOK_MS });
  const said = /^grid-sync (\S+)(?: (\S+))?$/m.exec(answer.stdout);
  if (said === null) {
    throw new GridError({
      code: "sync",
      message: `Cannot look at "${place.name}" on "${target.node}": ` +
        (answer.stderr.trim().split("\n").at(-1) || `exit code ${answer.code}`),
      hint: `Try: grid run --node ${target.node} ${quote(`ls -la ${quote(place.root)}`)}`,
      node: target.node,
    });
  }
  const [, digest, verdict] = said;
  return { digest: digest === "none" ? undefined : digest, isAsLeft: verdict === "same" };
}
