/** Why nothing that `cache:` kept stands in for a step: what differs from when it was last kept. Pure. */
import { own } from "../../core/own.ts";
import { digestOf } from "../../core/digest.ts";
import type { CachedResult } from "../ports.ts";

/** What the step's result depends on: in words → digest. */
export type CacheParts = Readonly<Record<string, string>>;

/** Under which the last result of a step is kept beside the one under its own key. */
export function lastKey(pipeline: string, step: string): string {
  return digestOf(JSON.stringify(["last", pipeline, step])).slice(0, 32);
}

/** One clause. */
export function uncachedReason(parts: CacheParts, last: CachedResult | undefined): string {
  if (last === undefined) return "no run has kept a result of it";
  const { run, parts: before } = last;
  if (before === undefined) return `what run ${run} kept came from something else`;
  const names = [...new Set([...Object.keys(before), ...Object.keys(parts)])];
  const changed = names.filter((name) => own(before, name) !== own(parts, name));
  if (changed.length === 0) return `what run ${run} kept is gone`;
  return `${changed.join(" and ")} changed since run ${run} kept a result`;
}
