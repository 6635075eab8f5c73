/** What a run amounts to. Pure. */
import { exitCodeOf } from "../../core/errors.ts";
import type { Failure, RunResult, StepResult } from "../event.ts";

export interface RunSummary {
  /** Results of the steps that belong to no group, hooks included. */
  readonly results: readonly StepResult[];
  /** The failure that came first, unless something allowed it. */
  readonly firstFailure: Failure | undefined;
  /** Exit code of the wish to stop, where somebody had it. */
  readonly interrupted: number | undefined;
}

/** The worst result that is not allowed. */
export function runResult({ results, interrupted }: RunSummary): RunResult {
  const seen = new Set(results);
  if (interrupted !== undefined && seen.has("cancelled")) return "cancelled";
  if (seen.has("failed")) return "failed";
  if (seen.has("timed-out")) return "timed-out";
  return seen.has("cancelled") ? "cancelled" : "succeeded";
}

/** Code of `grid run` as a process. */
export function runExitCode(summary: RunSummary): number {
  const { firstFailure, interrupted } = summary;
  switch (runResult(summary)) {
    case "succeeded":
      return 0;
    case "cancelled":
      return interrupted ?? exitCodeOf("interrupted");
    case "failed":
      return firstFailure ? exitCodeOf(firstFailure.code) : exitCodeOf("step-failed");
    case "timed-out":
      return exitCodeOf("timed-out");
  }
}
