/** What a number of steps counts, so that every reader comes to the same one. */
import type { StepState } from "./reduce.ts";

/** A hook whose moment did not come: a failure hook of a run that went well, for example. */
export function isUncalledHook(step: Pick<StepState, "hook" | "status" | "uncalled">): boolean {
  return step.hook !== undefined && (step.uncalled === true || step.status === "pending");
}

/**
 * Everything that has work of its own to do. A matrix or a template is as many steps as it has
 * members; it counts itself only where it failed and none of them did.
 */
export function isCounted(step: StepState): boolean {
  return (step.kind !== "group" || step.failure !== undefined) && !isUncalledHook(step);
}
