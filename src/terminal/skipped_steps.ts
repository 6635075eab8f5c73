/** Steps that did nothing: those with the same reason are told together. */
import { isUncalledHook } from "../engine/counted.ts";
import type { RunState, StepState } from "../engine/reduce.ts";
import { oneLine } from "./harmless.ts";
import { counted, isIdle, lookOf } from "./step_words.ts";
import type { Paint } from "./style.ts";
import { wrapHanging } from "./width.ts";

type Steps = RunState["steps"];

export interface SkippedOptions {
  readonly width: number;
  readonly paint: Paint;
}

/** Reasons that are told, and steps that are named for one of them; the report has them all. */
const MOST_REASONS = 20;
const MOST_NAMED = 8;

/** What was not done in a run that did not go well, and why: no causes, so apart from them. */
export function skippedSteps(state: RunState, { width, paint }: SkippedOptions): string[] {
  if (state.result === "succeeded") return [];
  const steps = [...state.steps.values()].filter((step) =>
    isIdle(step.status) && !isUncalledHook(step) && !isToldByGroup(step, state.steps)
  );
  if (steps.length === 0) return [];
  const reasons = [...Map.groupBy(steps, (step) => reasonOf(step, state.steps))];
  const lines = reasons.slice(0, MOST_REASONS).flatMap(([reason, same]) =>
    wrapHanging(`${namesOf(same, state.steps)}: ${reason}`, { width, indent: 2 })
  );
  const left = reasons.slice(MOST_REASONS).reduce((sum, [, same]) => sum + same.length, 0);
  return [
    paint.bold("Not done:"),
    ...lines,
    ...(left > 0 ? [paint.dim(`  … and ${counted(left, "more step")}`)] : []),
  ];
}

/** A member of a group that did nothing for the same reason, which the group tells already. */
export function isToldByGroup(step: StepState, steps: Steps): boolean {
  const group = step.group === undefined ? undefined : steps.get(step.group);
  return group !== undefined && isIdle(step.status) && group.status === step.status &&
    reasonOf(group, steps) === reasonOf(step, steps);
}

/** Why a step did nothing; of a member without the name of the group whose reason it is. */
export function reasonOf(step: StepState, steps: Steps): string {
  const { reason, status } = step;
  if (reason === undefined) return status === "pending" ? "never started" : lookOf(status).word;
  const groups = groupsOf(step, steps).map((group) => `"${group}": `);
  const named = groups.find((group) => reason.startsWith(group)) ?? "";
  return oneLine(reason.slice(named.length));
}

/** The groups that a step lies in, the innermost first. */
function groupsOf({ group }: StepState, steps: Steps): string[] {
  const above = group === undefined ? undefined : steps.get(group);
  return above === undefined ? [] : [above.id, ...groupsOf(above, steps)];
}

function namesOf(same: readonly StepState[], steps: Steps): string {
  const named = same.slice(0, MOST_NAMED).map((step) => `${step.id}${membersOf(step, steps)}`);
  const left = same.length - named.length;
  return `${named.join(", ")}${left > 0 ? ` and ${left} more` : ""}`;
}

/** ` (8 cells)` or ` (3 steps)` for a matrix or a template that tells why its members did nothing. */
export function membersOf({ id, kind }: StepState, steps: Steps): string {
  if (kind !== "group") return "";
  const members = [...steps.values()].filter((step) =>
    step.group === id && isToldByGroup(step, steps)
  );
  const areCells = members.every((member) => member.id.startsWith(`${id}[`));
  return members.length === 0 ? "" : ` (${counted(members.length, areCells ? "cell" : "step")})`;
}
