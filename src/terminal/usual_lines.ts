/** How the steps of a run compare with earlier runs of the same pipeline. */
import { formatDuration } from "../core/duration.ts";
import type { RunState, StepState } from "../engine/reduce.ts";
import type { Paint } from "./style.ts";
import { wrapHanging } from "./width.ts";

export interface UsualStep {
  readonly step: string;
  readonly usualMs: number | undefined;
  readonly runs: number;
  readonly retried: number;
}

export interface UsualOptions {
  readonly width: number;
  readonly paint: Paint;
}

/** Twice or half of what is usual, and by more than a second, is worth a word. */
const FACTOR = 2;
const LEAST_MS = 1000;
const MOST_LINES = 12;

export function usualLines(
  state: RunState,
  { usual, width, paint }: UsualOptions & { readonly usual: readonly UsualStep[] },
): string[] {
  const lines = usual.flatMap((each) => {
    const step = state.steps.get(each.step);
    const words = step === undefined ? [] : [...timeWords(step, each), ...retryWords(each)];
    return words.length === 0 ? [] : [`${each.step}: ${words.join("; ")}`];
  });
  if (lines.length === 0) return [];
  const left = lines.length - MOST_LINES;
  return [
    paint.bold("Against earlier runs:"),
    ...lines.slice(0, MOST_LINES).flatMap((line) => wrapHanging(line, { width, indent: 2 })),
    ...(left > 0 ? [paint.dim(`  … and ${left} more`)] : []),
  ];
}

function timeWords({ durationMs, status }: StepState, { usualMs }: UsualStep): string[] {
  if (durationMs === undefined || usualMs === undefined || status !== "succeeded") return [];
  if (Math.abs(durationMs - usualMs) < LEAST_MS) return [];
  const isUsual = durationMs < FACTOR * usualMs && usualMs < FACTOR * durationMs;
  return isUsual ? [] : [`took ${formatDuration(durationMs)}, usually ${formatDuration(usualMs)}`];
}

function retryWords({ runs, retried }: UsualStep): string[] {
  return retried === 0 ? [] : [`needed a retry in ${retried} of the last ${runs} runs`];
}
