/** How a run ended, as callers of the library see it. */
import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { Failure, OutputFile, RunResult, StepResult } from "../engine/event.ts";
import type { RunState } from "../engine/reduce.ts";

/** How a run ended. */
export interface RunOutcome {
  /** The run's id, as `grid show` takes it. */
  readonly id: string;
  /** Whether everything that had to succeed did. */
  readonly ok: boolean;
  /** How it ended. */
  readonly result: RunResult;
  /** What `grid run` would exit with. */
  readonly exitCode: number;
  /** Absolute folder of the run's reports, events and logs. */
  readonly folder: string;
  /** Every step by its id, in the order of the pipeline. */
  readonly steps: ReadonlyMap<string, StepOutcome>;
  /** What went wrong first; undefined where nothing did. */
  readonly error: GridError | undefined;
}

/** How a step ended. */
export interface StepOutcome {
  /** `train`, a cell `sweep[lr=1e-4]`, a template's step `eval/score`. */
  readonly id: string;
  /** `pending` where the run ended before the step began. */
  readonly result: StepResult | "pending" | "running";
  /** Where it ran last. */
  readonly node: string | undefined;
  /**
   * What it wrote to `$GRID_OUTPUT` or declares under `outputs`. A long list of results lies in a file of
   * the run: its items are read as they are asked for.
   */
  readonly outputs: Readonly<Record<string, JsonValue>>;
  /** What went wrong with it. */
  readonly failure: Failure | undefined;
}

export interface OutcomeOptions {
  /** Absolute folder of the run. */
  readonly folder: string;
  readonly list: (output: OutputFile, name: string) => readonly JsonValue[];
}

export function outcomeOf(state: RunState, { folder, list }: OutcomeOptions): RunOutcome {
  const { run: id, result, exitCode = 70, firstFailure } = state;
  const steps = new Map(
    [...state.steps.values()].map(({ id, status, node, failure, ...step }) => {
      const lists = Object.entries(step.filed ?? {})
        .map(([name, file]) => [name, list(file, `${id}.${name}`)] as const);
      const outputs = { ...step.outputs, ...Object.fromEntries(lists) };
      return [id, { id, result: status, node, outputs, failure }] as const;
    }),
  );
  const failure = firstFailure === undefined ? undefined : steps.get(firstFailure)?.failure;
  const ok = result === "succeeded";
  return {
    id,
    ok,
    result: result === "running" ? "cancelled" : result,
    exitCode,
    folder,
    steps,
    error: ok ? undefined : errorOf(failure, state),
  };
}

function errorOf(failure: Failure | undefined, { result, run, skipped }: RunState): GridError {
  if (failure !== undefined) {
    const { code, message, hint, node } = failure;
    return new GridError({ code, message, hint, node });
  }
  return new GridError({
    code: result === "cancelled" ? "interrupted" : "step-failed",
    message: `Cannot finish the run: it is ${result}${skipped === undefined ? "" : `, ${skipped}`}`,
    hint: `grid show ${run}`,
  });
}
