/** What a run amounts to. Pure. */
import { constants } from "node:os";
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

export interface ExitCodeOptions {
  /** Where a command failed by itself, its own code is that of the run. */
  readonly passThrough: boolean;
}

/** Code of `grid run` as a process. */
export function runExitCode(summary: RunSummary, { passThrough }: ExitCodeOptions): number {
  const { firstFailure, interrupted } = summary;
  switch (runResult(summary)) {
    case "succeeded":
      return 0;
    case "cancelled":
      return interrupted ?? exitCodeOf("interrupted");
    case "failed": {
      const own = passThrough && firstFailure ? ownCode(firstFailure) : undefined;
      if (own !== undefined) return own;
      return firstFailure ? exitCodeOf(firstFailure.code) : exitCodeOf("step-failed");
    }
    case "timed-out":
      return exitCodeOf("timed-out");
  }
}

/** As a shell counts: 128 + n for a command that signal n ended. */
function ownCode({ code, exitCode, signal }: Failure): number | undefined {
  if (code === "exit") return exitCode;
  const number = code === "signal" ? constants.signals[signal as NodeJS.Signals] : undefined;
  return number === undefined ? undefined : 128 + number;
}
