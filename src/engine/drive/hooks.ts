/** Which hooks run once the graph has ended, and what they are told. */
import type { HookMoment, Step } from "../../pipeline/pipeline.ts";
import { Text } from "../../expression/text.ts";
import type { RunResult } from "../event.ts";
import { runResult, type RunSummary } from "./result.ts";

/** For a hook that sets no limit of its own. */
const HOOK_LIMIT_MS = 10 * 60_000;

export interface HookPlan {
  readonly moment: HookMoment;
  readonly runs: boolean;
  readonly reason: string;
}

/** In the order they run: what depends on the result first, `exit` last and always. */
export function hookMoments(summary: RunSummary): readonly HookPlan[] {
  const result = runResult(summary);
  return [
    {
      moment: "success",
      runs: result === "succeeded",
      reason: `the run ${saying(result)}`,
    },
    {
      moment: "failure",
      runs: result === "failed" || result === "timed-out",
      reason: `the run ${saying(result)}`,
    },
    { moment: "exit", runs: true, reason: "" },
  ];
}

/** A hook learns the result from `GRID_RUN_RESULT`, and the guilty step from `GRID_FIRST_FAILURE`. */
export function hookStep(
  step: Step,
  run: { readonly result: RunResult; readonly firstFailure: string | undefined },
): Step {
  const { totalMs, attemptMs } = step.timeout;
  const limited = totalMs !== undefined || attemptMs !== undefined;
  return {
    ...step,
    timeout: limited ? step.timeout : { ...step.timeout, attemptMs: HOOK_LIMIT_MS },
    env: {
      GRID_RUN_RESULT: Text.literal(run.result),
      GRID_FIRST_FAILURE: Text.literal(run.firstFailure ?? ""),
      ...step.env,
    },
  };
}

function saying(result: RunResult): string {
  return {
    "succeeded": "succeeded",
    "failed": "failed",
    "timed-out": "timed out",
    "cancelled": "was cancelled",
  }[result];
}
