/** Why a step that ran did so: what let it run after a failure, and whose job it went on with. Pure. */
import type { RunState, StepState } from "../reduce.ts";

/** `it ran after "train" failed: its condition is true: failure()`; undefined where all went well. */
export function reasonToHaveRun(state: RunState, step: StepState): string | undefined {
  if (step.hook !== undefined) return hookReason(state, step);
  for (let at: StepState | undefined = step; at; at = state.steps.get(at.group ?? "")) {
    const condition = step.if ?? at.if;
    const needed = firstFailure(state, at.needs);
    const failed = needed ?? firstFailure(state, at.after);
    if (failed === undefined) continue;
    if (condition !== undefined) {
      return `it ran after ${failed}: its condition is true: ${condition}`;
    }
    return needed === undefined
      ? `it ran after ${failed}: it only waits for the end, whatever the result`
      : `it ran after ${failed}: its condition let it`;
  }
  return step.if === undefined ? undefined : `its condition is true: ${step.if}`;
}

function hookReason({ firstFailure }: RunState, { hook }: StepState): string {
  const failed = firstFailure === undefined ? "" : `, and "${firstFailure}" failed first`;
  return `it is a hook for ${hook}${failed}`;
}

/** The failure that one of the steps is, or was skipped for: `"train" failed`. */
function firstFailure(
  state: RunState,
  ids: readonly string[],
  seen: ReadonlySet<string> = new Set(),
): string | undefined {
  for (const id of ids) {
    const step = state.steps.get(id);
    // A circle stands only in a damaged journal.
    if (!step || seen.has(id)) continue;
    switch (step.status) {
      case "failed":
        return `"${id}" failed`;
      case "timed-out":
        return `"${id}" timed out`;
      case "cancelled":
        return `"${id}" was cancelled`;
      case "skipped": {
        const before = [...step.needs, ...step.after];
        const root = firstFailure(state, before, new Set([...seen, id]));
        if (root !== undefined) return root;
      }
    }
  }
  return undefined;
}

/** Whether the step's last attempt went on with a job that an earlier runner started. */
export function isTakenOver({ takenOver, attempts }: StepState): boolean {
  return takenOver !== undefined && attempts.at(-1)?.job === takenOver.job;
}
