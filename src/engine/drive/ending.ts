import type { Step } from "../../pipeline/pipeline.ts";
import type { AttemptEnd } from "../attempt/attempt.ts";
import type { StepResult } from "../event.ts";
import type { StepEnding } from "../ledger/ledger.ts";
import { broughtIf } from "./beginning.ts";
import { cachedReason } from "../resume/reuse.ts";
import type { Prepared } from "../resume/known_results.ts";

/** How a step ends whose last attempt ended so. */
export function endingOf(step: Step, end: AttemptEnd): StepEnding {
  const { failure, outputs, filed, masked, node, result, reused } = end;
  if (reused) {
    const from = { run: reused.run, ...(node === undefined ? {} : { node }) };
    const kept = reused.filed && { filed: reused.filed };
    const reason = cachedReason(reused);
    return { state: "reused", reason, outputs, ...kept, reusedFrom: from, node };
  }
  return {
    state: resultOf(step, result),
    ...(result === "cancelled" && failure ? { reason: failure.message } : {}),
    outputs,
    ...(filed && { filed }),
    ...(masked && { masked }),
    ...(failure === undefined ? {} : { failure }),
    node,
  };
}

/** How a step ends whose result is at hand already; undefined where it is not. */
export function reusedEnding({ key, brought, known }: Prepared): StepEnding | undefined {
  if (known.kind !== "reuse") return undefined;
  const { outputs, filed, masked, reason, from } = known;
  return {
    state: "reused",
    reason,
    outputs,
    ...(filed && { filed }),
    ...(masked === undefined ? {} : { masked }),
    reusedFrom: from,
    ...(key === undefined ? {} : { key }),
    ...broughtIf(brought),
    node: from.node,
  };
}

export function resultOf(step: Step, result: AttemptEnd["result"]): StepResult {
  const failed = result === "failed" || result === "timed-out";
  return failed && step.allowFailure ? "allowed-failure" : result;
}
