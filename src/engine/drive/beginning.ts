import type { Step } from "../../pipeline/pipeline.ts";
import type { StepStarted } from "../event.ts";
import type { Brought } from "../resume/brought.ts";
import type { Prepared } from "../resume/known_results.ts";

/** What the journal says when a step starts its work. */
export function beginningOf(
  step: Step,
  { prepared, at, afterMs }: {
    readonly prepared: Prepared | undefined;
    readonly at: number;
    readonly afterMs: number;
  },
): StepStarted {
  const { key, brought, known } = prepared ?? {};
  return {
    type: "step.started",
    at,
    step: step.id,
    afterMs,
    ...(key === undefined ? {} : { key }),
    ...broughtIf(brought),
    ...(known?.kind === "none" && known.because ? { because: known.because } : {}),
    ...(known?.kind === "none" && known.uncached ? { uncached: known.uncached } : {}),
    ...(known?.kind === "attach" ? { takenOver: known.takenOver } : {}),
  };
}

/** Most steps come after no sync. */
export function broughtIf(brought: Brought | undefined): { readonly brought?: Brought } {
  return brought === undefined || Object.keys(brought).length === 0 ? {} : { brought };
}
