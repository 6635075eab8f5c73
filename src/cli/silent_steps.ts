/** What `grid logs` says of steps that have no log in a run, or not all of it: on stderr, the logs are for stdout. */
import { quote } from "../core/shell.ts";
import { why } from "../engine/resume/why.ts";
import { unkeptWords } from "../engine/unkept_output.ts";
import type { RunState, StepState } from "../engine/reduce.ts";

export interface SilentStepsOptions {
  /** Only this step was asked for. */
  readonly step: string | undefined;
  /** Whether its log holds anything. */
  readonly printed: boolean;
  readonly underWay: boolean;
  /** Not all that it printed was asked for: words for the part, such as ` since then`. */
  readonly part?: string | undefined;
}

/** Lines without their ends. */
export function silentSteps(state: RunState, options: SilentStepsOptions): readonly string[] {
  const { step: id, underWay, printed, part = "" } = options;
  const step = id === undefined ? undefined : state.steps.get(id);
  if (!step || step.kind === "group") {
    const steps = step ? membersOf(state, step.id) : [...state.steps.values()];
    return [...steps.flatMap((each) => unkeptLines(each, `${each.id}: `)), ...reusedLines(steps)];
  }
  const unkept = unkeptLines(step, "");
  if (printed || unkept.length > 0) return unkept;
  const words = why(state, step.id, { underWay });
  if (step.reusedFrom) {
    return [words, `its log: grid logs ${step.reusedFrom.run} ${quote(step.id)}`];
  }
  return [step.attempts.length === 0 ? words : `${words}; it printed nothing${part}`];
}

function unkeptLines({ attempts }: StepState, begin: string): string[] {
  const words = unkeptWords(attempts.at(-1) ?? {});
  return words === undefined ? [] : [`${begin}${words}`];
}

/** One line for each run whose results stand in. */
function reusedLines(steps: readonly StepState[]): string[] {
  const byRun = new Map<string, string[]>();
  for (const { id, kind, reusedFrom } of steps) {
    if (!reusedFrom || kind === "group") continue;
    byRun.set(reusedFrom.run, [...byRun.get(reusedFrom.run) ?? [], id]);
  }
  return [...byRun].map(([run, ids]) =>
    `reused from run ${run}: ${named(ids)}; their logs: grid logs ${run}`
  );
}

const MOST_NAMED = 10;

function named(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED;
  const shown = ids.slice(0, MOST_NAMED).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function membersOf({ steps }: RunState, group: string): StepState[] {
  return [...steps.values()].filter((step) => {
    for (let up = step.group; up !== undefined; up = steps.get(up)?.group) {
      if (up === group) return true;
    }
    return false;
  });
}
