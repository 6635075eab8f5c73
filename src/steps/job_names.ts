/** Names of a run's jobs, and whether one was left to itself. */
import { distinctName } from "../core/file_names.ts";
import { randomWord } from "../core/ids.ts";
import type { StepRequest } from "../engine/ports.ts";
import type { JobExit } from "../transport/job/job.ts";

/** The node ended it, or went down, because or while nobody followed it. */
export function isAbandoned(exit: JobExit): boolean {
  return exit.kind === "vanished" || (exit.kind === "signal" && exit.by === "lease");
}

export function newJobId(
  { run, step, attempt }: Pick<StepRequest, "run" | "step" | "attempt">,
): string {
  return `${jobPrefix(run)}${distinctName([step])}-${attempt}-${randomWord(4)}`;
}

/** The job of one rank of a step on many nodes. */
export function newRankId(
  { run, step, attempt }: Pick<StepRequest, "run" | "step" | "attempt">,
  rank: number,
): string {
  return `${jobPrefix(run)}${distinctName([step])}-${attempt}-r${rank}-${randomWord(4)}`;
}

/** What the ids of all jobs of a run begin with, and those of no other. */
export function jobPrefix(run: string): string {
  return `${distinctName([run])}-`;
}
