/** What a run that was itself a resumption left for the next one: its own work and, behind it, its parent's. */
import { GridError } from "../../core/errors.ts";
import type { Event } from "../event.ts";
import { replay, type RunState, type StepState } from "../reduce.ts";
import { takenOverFrom } from "./reuse.ts";
import { looksAlways } from "../../pipeline/step_kinds.ts";
import { StepMap } from "../step_map.ts";

/** More resumptions of resumptions than anybody makes; a circle in a damaged journal ends here. */
const MOST_GENERATIONS = 1000;

/**
 * The state to resume `run` from. Steps that a killed resumption never came to stand as the run before
 * it left them, so that nothing is done twice however often the runner dies.
 *
 * @throws {GridError} `usage` for a run whose journal is empty
 */
export function resumableState(
  run: string,
  eventsOf: (run: string) => readonly Event[],
): RunState {
  const generations: RunState[] = [];
  let next: string | undefined = run;
  while (next !== undefined && generations.length < MOST_GENERATIONS) {
    const state: RunState | undefined = replay(eventsOf(next));
    if (state) generations.push(state);
    next = state?.resumes;
  }
  const oldest = generations.pop();
  if (!oldest) {
    throw new GridError({
      code: "usage",
      message: `Cannot resume run "${run}": its journal is empty`,
    });
  }
  return generations.reduceRight((earlier, state) => inherit(state, earlier), oldest);
}

/** `state` with what it never came to taken from the run that it resumed. Pure. */
export function inherit(state: RunState, earlier: RunState): RunState {
  const outdated = new Outdated(state);
  const steps = [...state.steps.values()].map((step): [string, StepState] => {
    const old = earlier.steps.get(step.id);
    const stands = old !== undefined && isUntouched(step) && !outdated.has(step.id);
    return [step.id, stands ? from(earlier, old) : step];
  });
  return { ...state, steps: StepMap.of(steps) };
}

/**
 * Nothing of its own: not begun, or killed before its job was named. Or a sync that was left out:
 * what an earlier run brought is still there.
 */
function isUntouched({ kind, status, attempts }: StepState): boolean {
  return status === "pending" || (status === "running" && attempts.at(-1)?.job === undefined) ||
    (looksAlways(kind) && status === "skipped");
}

function from(earlier: RunState, old: StepState): StepState {
  if (old.attempts.at(-1)?.job !== undefined && old.status === "running") {
    return { ...old, takenOver: takenOverFrom(earlier, old) };
  }
  if (old.reusedFrom || old.status !== "succeeded") return old;
  const node = old.node === undefined ? {} : { node: old.node };
  return { ...old, reusedFrom: { run: earlier.run, ...node } };
}

/** Steps whose earlier result no longer counts: asked for again, or behind work that was done anew. */
class Outdated {
  readonly #state: RunState;
  readonly #known = new Map<string, boolean>();

  constructor(state: RunState) {
    this.#state = state;
  }

  has(id: string): boolean {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    // A circle cannot happen in a graph that was run; the entry only stops a damaged journal.
    this.#known.set(id, false);
    const step = this.#state.steps.get(id);
    const before = step ? [...step.needs, ...step.after] : [];
    const outdated = this.#state.again.includes(id) ||
      before.some((need) => this.#isNewWork(need) || this.has(need)) ||
      (step?.group !== undefined && this.has(step.group));
    this.#known.set(id, outdated);
    return outdated;
  }

  /** A sync only looks again. */
  #isNewWork(id: string): boolean {
    const step = this.#state.steps.get(id);
    return step !== undefined && !looksAlways(step.kind) && step.kind !== "group" &&
      step.startedAt !== undefined && step.status !== "reused";
  }
}
