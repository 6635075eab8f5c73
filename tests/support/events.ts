/** Events of a small run, for tests of the journal and of its readers. */
import type { Event, RunFinished, RunStarted, StepOutline } from "../../src/engine/event.ts";

export const START_MS = Date.UTC(2026, 0, 31, 12, 0, 0);

export function runStarted(run: string, parts: Partial<RunStarted> = {}): RunStarted {
  return {
    type: "run.started",
    at: START_MS,
    run,
    pipeline: "train",
    file: "pipelines/train.yaml",
    project: "/project",
    inputs: {},
    steps: [outline("a")],
    gridVersion: "0.1.0",
    ...parts,
  };
}

export function outline(id: string, parts: Partial<StepOutline> = {}): StepOutline {
  return { id, kind: "run", needs: [], after: [], ...parts };
}

export function runFinished(parts: Partial<RunFinished> = {}): RunFinished {
  return {
    type: "run.finished",
    at: START_MS + 1000,
    state: "succeeded",
    exitCode: 0,
    ...parts,
  };
}

export function warned(message: string): Event {
  return { type: "warned", at: START_MS, message };
}
