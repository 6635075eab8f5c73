/** The graph of a run's steps, where it says more than their list. */
import { lazy } from "../../core/lazy.ts";
import type { RunDocument, StepDocument } from "../run_document.ts";

/** Beyond this a drawing says less than the timeline. */
const MOST_DRAWN = 60;

/** SVG; empty where there is nothing to see. */
export async function drawGraph(report: RunDocument): Promise<string> {
  if (!hasDrawing(report.steps)) return "";
  const { renderSvg } = await loadSvg();
  return renderSvg(report.steps.filter(({ hook }) => hook === null));
}

type DrawnStep = Pick<StepDocument, "needs" | "after"> & {
  readonly hook?: string | null | undefined;
};

/** Not a single step, no arrow, or too many. */
export function hasDrawing(steps: readonly DrawnStep[]): boolean {
  const own = steps.filter(({ hook }) => (hook ?? null) === null);
  const hasArrows = own.some(({ needs, after }) => needs.length + after.length > 0);
  return hasArrows && own.length <= MOST_DRAWN;
}

export function loadSvg(): Promise<typeof import("./svg.ts")> {
  return lazy("./svg.ts", import.meta.url);
}
