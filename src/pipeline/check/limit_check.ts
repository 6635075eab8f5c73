/** Limits that contradict each other: they are legal, but one of them never has any effect. */
import type { WrittenStep } from "../written_step.ts";
import { durationMs } from "../policy.ts";
import type { TextReader } from "../../expression/reader.ts";

/** Which limit stands in whose shadow: the first must be shorter to matter. */
const SHADOWS = {
  timeout: [["attempt", "total"], ["idle", "attempt"], ["idle", "total"]],
  retry: [["delay", "max-delay"]],
} as const;

/** Warns of limits in `timeout` and `retry` that another in the same map makes meaningless. */
export function checkLimits(entry: WrittenStep["entry"], reader: TextReader): void {
  check(entry.timeout, SHADOWS.timeout, reader);
  check(entry.retry, SHADOWS.retry, reader);
}

function check(
  policy: object | string | number | undefined,
  pairs: readonly (readonly [string, string])[],
  reader: TextReader,
): void {
  if (typeof policy !== "object") return;
  const limits = policy as Readonly<Record<string, string | undefined>>;
  const ms = (key: string) => typeof limits[key] === "string" ? durationMs(limits[key]) : undefined;
  const found = pairs.find(([key, other]) => (ms(key) ?? 0) > (ms(other) ?? Infinity));
  if (found === undefined) return;
  const [key, other] = found;
  reader.report({
    severity: "warning",
    rule: "idle-limit",
    spot: reader.source.valueSpot(policy, key),
    message: `${key}: ${limits[key]} is longer than ${other}: ${
      limits[other]
    }, so it has no effect`,
    hint: `make it shorter than ${other}, or leave it out`,
  });
}
