import { parseDuration } from "../core/duration.ts";
import type { RetryClass, RetryPolicy, Timeout } from "./pipeline.ts";
import type { RetryEntry, TimeoutEntry } from "./schema.ts";

export const DEFAULT_TIMEOUT: Timeout = {
  totalMs: undefined,
  attemptMs: undefined,
  idleMs: undefined,
  killGraceMs: 10_000,
};

export const DEFAULT_RETRY: RetryPolicy = {
  max: 2,
  on: ["transport"],
  delayMs: 2000,
  maxDelayMs: 60_000,
  backoff: "exponential",
  jitter: "full",
  avoidNode: false,
};

/** What is not written keeps the value of `base`. The short form limits each attempt. */
export function timeoutOf(entry: TimeoutEntry | undefined, base: Timeout): Timeout {
  if (entry === undefined) return base;
  if (typeof entry === "string") return { ...base, attemptMs: durationMs(entry) };
  return {
    totalMs: durationMs(entry.total) ?? base.totalMs,
    attemptMs: durationMs(entry.attempt) ?? base.attemptMs,
    idleMs: durationMs(entry.idle) ?? base.idleMs,
    killGraceMs: durationMs(entry["kill-grace"]) ?? base.killGraceMs,
  };
}

/**
 * What is not written keeps the value of `base`; a longer `delay` lifts the limit that it would be cut
 * to. The short form is the number of retries.
 */
export function retryOf(entry: RetryEntry | undefined, base: RetryPolicy): RetryPolicy {
  if (entry === undefined) return base;
  if (typeof entry === "number") return { ...base, max: entry };
  const on = entry.on === undefined ? base.on : [entry.on].flat() as RetryClass[];
  const delayMs = durationMs(entry.delay) ?? base.delayMs;
  return {
    max: entry.max ?? base.max,
    on,
    delayMs,
    maxDelayMs: durationMs(entry["max-delay"]) ?? Math.max(base.maxDelayMs, delayMs),
    backoff: entry.backoff ?? base.backoff,
    jitter: entry.jitter ?? base.jitter,
    avoidNode: entry["avoid-node"] ?? base.avoidNode,
  };
}

/** The schema has made sure that the text is a duration. */
export function durationMs(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}
