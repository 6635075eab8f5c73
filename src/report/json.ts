/** `report.json` as text. */
import { encoded, type Part, textOf } from "./page_part.ts";
import type { RunDocument, StepDocument } from "./run_document.ts";

/** Where the steps stand; nothing else is set in by two. */
const NO_STEPS = '\n  "steps": []';

export function renderJson(report: RunDocument): string {
  return textOf(jsonParts(report));
}

/** What `encodedStep` made of steps before. */
export interface MadeSteps {
  /** Of the first `count` steps, behind one another. */
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Of the step at a place behind these. */
  of(at: number): Uint8Array | undefined;
}

export function jsonParts(report: RunDocument, made?: MadeSteps): Part[] {
  const { steps } = report;
  const frame = JSON.stringify({ ...report, steps: [] }, null, 2);
  if (steps.length === 0) return [`${frame}\n`];
  const at = frame.indexOf(NO_STEPS) + NO_STEPS.length - 1;
  const parts = made === undefined || made.count === 0 ? [] : [made.bytes];
  const first = made?.count ?? 0;
  for (const [more, step] of steps.slice(first).entries()) {
    parts.push(made?.of(first + more) ?? encodedStep(step));
  }
  return [
    frame.slice(0, at),
    ...parts.map((part, index) => index === 0 ? part.subarray(1) : part),
    `\n  ${frame.slice(at)}\n`,
  ];
}

export function encodedStep(step: StepDocument): Uint8Array {
  return encoded(indentedStep(step));
}

/** As it stands behind another: the first has no comma before it. */
function indentedStep(step: StepDocument): string {
  return `,\n${JSON.stringify(step, null, 2)}`.replaceAll("\n", "\n    ");
}
