/** Which failures are tried again. Pure. */
import { exitCodeOf, isTransportCode } from "../../core/errors.ts";
import type { RetryClass, RetryPolicy } from "../../pipeline/pipeline.ts";
import type { Failure } from "../event.ts";

/** Exit code of errors that the same words will cause again. */
const USAGE_EXIT = 2;

/** Whether the policy's classes cover this failure. */
export function isRetryable(policy: RetryPolicy, failure: Failure): boolean {
  if (neverRetried(failure)) return false;
  return policy.on.some((retryClass) => covers(retryClass, failure));
}

/** Why a failure is not tried again; one clause. */
export function whyNot({ on }: RetryPolicy, failure: Failure): string {
  const { code, exitCode, started } = failure;
  if (neverRetried(failure)) return "the same would happen again";
  const what = exitCode !== undefined && code !== "timed-out"
    ? `exit code ${exitCode}`
    : isTransportCode(code) && started
    ? `a lost node (${code}) whose command had started`
    : code;
  return `${what} is none of retry: { on: [${on.join(", ")}] }`;
}

function covers(retryClass: RetryClass, failure: Failure): boolean {
  switch (retryClass) {
    case "any":
      return true;
    case "timeout":
      return failure.code === "timed-out";
    case "transport":
      return isTransportCode(failure.code) && !failure.started;
    case "node-lost":
      return isTransportCode(failure.code);
    default:
      // Of a command that was told to end the code says how it took it.
      return failure.code !== "timed-out" &&
        failure.exitCode === Number(retryClass.slice("exit:".length));
  }
}

const NEVER_RETRIED: ReadonlySet<Failure["code"]> = new Set([
  "host-key",
  "algorithm",
  "interrupted",
  "terminated",
  "closed-pipe",
]);

/** A changed host key may be an attack; two programs without an algorithm in common stay so; cancelled work is
 * not wanted; wrong words stay wrong. */
function neverRetried({ code }: Failure): boolean {
  return NEVER_RETRIED.has(code) || exitCodeOf(code) === USAGE_EXIT;
}
