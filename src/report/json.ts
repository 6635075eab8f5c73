/** `report.json` as text. */
import { encoded, type Part, textOf } from "./page_part.ts";
import type { RunDocument, StepDocument } from "./run_document.ts";

/** Where the steps stand; nothing else is set in by two. */
const NO_STEPS = '\n  "steps": []';

export function renderJson(report: RunDocument): string {
  return textOf(jsonParts(report));
}

/** @param madeOf what `encodedStep` made of a step before */
export function jsonParts(
  report: RunDocument,
  madeOf: (step: StepDocument) => Uint8Array | undefined = () => undefined,
): Part[] {
  const frame = JSON.stringify({ ...report, steps: [] }, null, 2);
  if (report.steps.length === 0) return [`${frame}\n`];
  const at = frame.indexOf(NO_STEPS) + NO_STEPS.length - 1;
  const parts: Part[] = [frame.slice(0, at)];
  for (const [index, step] of report.steps.entries()) {
    const made = madeOf(step);
    if (made) parts.push(index === 0 ? made.subarray(1) : made);
    else parts.push(index === 0 ? indentedStep(step).slice(1) : indentedStep(step));
  }
  parts.push(`\n  ${frame.slice(at)}\n`);
  return parts;
}

export function encodedStep(step: StepDocument): Uint8Array {
  return encoded(indentedStep(step));
}

/** As it stands behind another: the first has no comma before it. */
function indentedStep(step: StepDocument): string {
  return `,\n${JSON.stringify(step, null, 2)}`.replaceAll("\n", "\n    ");
}
