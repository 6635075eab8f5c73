/** Secrets are taken out of what events say, never out of what holds them together. */
import type { Event } from "../event.ts";

type Mask = <T>(value: T) => T;

/**
 * Fields that readers and a resume match exactly. Grid or the pipeline's author chose their words;
 * a secret that happens to be spelt "test" or "started" must not tear a run apart.
 */
const STRUCTURE: ReadonlySet<string> = new Set([
  "type",
  "run",
  "resumes",
  "again",
  "step",
  "steps",
  "firstFailure",
  "state",
  "result",
  "node",
  "job",
  "key",
  "digest",
  "brought",
  "takenOver",
  "mode",
  "filed",
  "reusedFrom",
  "gridVersion",
  "masked",
  // Numbers by their names.
  "usage",
  // Of a failure.
  "code",
  "signal",
]);
/** Fields whose values have fields of their own. */
const NESTED: ReadonlySet<string> = new Set(["failure", "passedOver"]);

export function maskEvent(event: Event, mask: Mask): Event {
  return maskFields(event, mask);
}

/** Field by field: a name such as `exitCode` is no text that a secret could be in. */
function maskFields<T extends object>(fields: T, mask: Mask): T {
  const masked = { ...fields };
  for (const name of Object.keys(fields) as (keyof T & string)[]) {
    if (NESTED.has(name)) masked[name] = maskNested(fields[name], mask);
    else if (!STRUCTURE.has(name)) masked[name] = mask(fields[name]);
  }
  return masked;
}

function maskNested<T>(value: T, mask: Mask): T {
  if (Array.isArray(value)) return value.map((one) => maskFields(one, mask)) as T;
  return typeof value === "object" && value !== null ? maskFields(value, mask) : value;
}
