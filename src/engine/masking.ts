/** Secrets are taken out of what events say, never out of what holds them together. */
import type { Event } from "./event.ts";

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
  "mode",
  "reusedFrom",
  "gridVersion",
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
  const masked = Object.entries(fields).map(([name, value]) => {
    if (STRUCTURE.has(name)) return [name, value];
    if (!NESTED.has(name)) return [name, mask(value)];
    const inner = Array.isArray(value)
      ? value.map((one) => maskFields(one, mask))
      : value && maskFields(value, mask);
    return [name, inner];
  });
  return Object.fromEntries(masked);
}
