/** `concurrency:` — how runs of one group, in any process, take turns. */
import { GridError } from "../../core/errors.ts";
import type { Clock } from "../../core/clock.ts";
import type { Concurrency } from "../../pipeline/pipeline.ts";
import type { RunRegistry } from "../ports.ts";

/** How often a waiting run asks whether its turn has come. */
const ASK_AGAIN_MS = 500;

export interface TurnOptions {
  readonly run: string;
  /** The group's name, evaluated. */
  readonly group: string;
  readonly concurrency: Concurrency;
  readonly registry: RunRegistry;
}

export type Turn =
  | { readonly kind: "go" }
  | { readonly kind: "wait"; readonly ahead: readonly string[] }
  | { readonly kind: "skip"; readonly reason: string };

/**
 * Asks for a place in the group, once, and does what `on-conflict` says where there is none.
 *
 * @throws {GridError} `conflict` where `on-conflict` is `fail`
 */
export function takeTurn({ run, group, concurrency, registry }: TurnOptions): Turn {
  const { max, onConflict } = concurrency;
  const place = registry.join(run, { group, max });
  if (place.joined) return { kind: "go" };
  const { ahead } = place;
  const others = `${ahead.length === 1 ? "run" : "runs"} ${ahead.join(", ")}`;
  switch (onConflict) {
    case "queue":
      return { kind: "wait", ahead };
    case "skip":
      return { kind: "skip", reason: `concurrency group "${group}" is taken by ${others}` };
    case "cancel-oldest":
      for (const other of ahead.slice(0, ahead.length - max + 1)) {
        registry.requestCancel(other, `run ${run} took its place in group "${group}"`);
      }
      return { kind: "wait", ahead };
    case "fail":
      throw new GridError({
        code: "conflict",
        message: `Cannot start: concurrency group "${group}" is taken by ${others}`,
        hint: "wait for it, or end it: " + ahead.map((other) => `grid cancel ${other}`).join("; "),
      });
  }
}

/**
 * Waits until the group has a place.
 *
 * @throws the signal's reason
 */
export async function awaitTurn(
  { run, group, concurrency, registry }: TurnOptions,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  while (!registry.join(run, { group, max: concurrency.max }).joined) {
    await clock.sleep(ASK_AGAIN_MS, { signal });
  }
}
