import { formatSize } from "../core/size.ts";
import type { Gang } from "./gang.ts";
import type { HookMoment, NodeRequest, NodeSelector, Pipeline, Step } from "./pipeline.ts";
import type { Text } from "../expression/text.ts";

/** One line of `grid plan`. */
export interface PlannedStep extends PlannedWork {
  /** Steps of one wave may run at the same time; counts from 1. */
  readonly wave: number;
  /** The matrix or template that the step is a part of. */
  readonly group?: string;
}

/** A step that waits for the end of the run. */
export interface PlannedHook extends PlannedWork {
  readonly moment: HookMoment;
}

interface PlannedWork {
  readonly id: string;
  readonly kind: string;
  /** Where it would run, in words. */
  readonly node: string;
  /** For the first steps within a group also what the group waits for. */
  readonly needs: readonly string[];
  readonly after: readonly string[];
  /** Its condition, as written in the file. */
  readonly if?: string;
  /** Why it would be skipped however the run goes. */
  readonly skipped?: string;
}

export interface PlanOptions {
  /** The condition that keeps a step from running whatever happens; default: nobody knows. */
  readonly falseCondition?: ((step: Step) => Text | undefined) | undefined;
}

/** What a run would do, in the order it could do it. */
export function planOf(pipeline: Pipeline, options: PlanOptions = {}): PlannedStep[] {
  const waves = new Map<string, number>();
  const steps = new Map(pipeline.steps.map((step) => [step.id, step]));
  return pipeline.steps.map((step) => {
    const members = step.action.kind === "group" ? step.action.members : [];
    const before = [...startsAfter(step, steps), ...members].map((id) => waves.get(id) ?? 0);
    const wave = Math.max(0, ...before) + 1;
    waves.set(step.id, wave);
    return {
      ...workOf(step, options),
      wave,
      needs: waitsFor(step, "needs", steps),
      after: waitsFor(step, "after", steps),
      ...(step.group !== undefined && { group: step.group }),
    };
  });
}

/** The hooks in the order of their moments. */
export function plannedHooks({ hooks }: Pipeline, options: PlanOptions = {}): PlannedHook[] {
  const moments = ["success", "failure", "exit"] as const;
  return moments.flatMap((moment) =>
    hooks[moment].map((step) => ({ ...workOf(step, options), moment }))
  );
}

function workOf(step: Step, { falseCondition }: PlanOptions): PlannedWork {
  const { id, action, needs, after, condition } = step;
  const blocked = falseCondition?.(step);
  return {
    id,
    kind: action.kind,
    node: nodeWords(step),
    needs,
    after,
    ...(condition && { if: conditionSource(condition) }),
    ...(blocked && { skipped: `its condition is false: ${conditionSource(blocked)}` }),
  };
}

function conditionSource({ parts }: Text): string {
  return parts.map((part) => part.kind === "expression" ? part.source.trim() : part.value).join("");
}

/** A member of a group waits for what the group waits for. */
function startsAfter(step: Step, steps: Steps): string[] {
  const group = step.group === undefined ? undefined : steps.get(step.group);
  return [...step.needs, ...step.after, ...(group ? startsAfter(group, steps) : [])];
}

type Steps = ReadonlyMap<string, Step>;

/** What stands in the file; for what begins a group, that of the group. */
function waitsFor(step: Step, how: "needs" | "after", steps: Steps): readonly string[] {
  const group = step.group === undefined ? undefined : steps.get(step.group);
  const isFirst = step.needs.length + step.after.length === 0;
  return group === undefined || !isFirst ? step[how] : waitsFor(group, how, steps);
}

function nodeWords(step: Step): string {
  switch (step.action.kind) {
    case "sync":
    case "data":
      return step.action.to === "all" ? "all nodes" : step.action.to.map(sourceOf).join(", ");
    case "select-node":
      return selectorWords(step.action.selector);
    case "group":
      return "";
    case "run":
      return step.action.gang === undefined
        ? requestWords(step.node)
        : `${countWords(step.action.gang)} nodes, each ${requestWords(step.node)}`;
    default:
      return requestWords(step.node);
  }
}

function countWords({ count }: Gang<Text>): string {
  return typeof count === "number" ? String(count) : sourceOf(count);
}

function requestWords(request: NodeRequest<Text>): string {
  switch (request.kind) {
    case "named":
      return sourceOf(request.name);
    case "selector":
      return selectorWords(request.selector);
    case "chosen-by":
      return `chosen by ${request.step}`;
    case "best":
      return "best";
  }
}

function selectorWords(selector: NodeSelector<Text>): string {
  const wishes = [
    ...(selector.gpus > 0 ? [`${selector.gpus} GPU${selector.gpus > 1 ? "s" : ""}`] : []),
    ...(selector.minFreeVramBytes === undefined
      ? []
      : [`${formatSize(selector.minFreeVramBytes)} VRAM free`]),
    ...(selector.model === undefined ? [] : [`model ${sourceOf(selector.model)}`]),
    ...(selector.share ? ["shared"] : []),
    ...(selector.minFreeMemoryBytes === undefined
      ? []
      : [`${formatSize(selector.minFreeMemoryBytes)} memory free`]),
    ...(selector.minFreeDiskBytes === undefined
      ? []
      : [`${formatSize(selector.minFreeDiskBytes)} disk free`]),
    ...(selector.maxLoad === undefined ? [] : [`load at most ${selector.maxLoad}`]),
    ...(selector.maxScore === undefined ? [] : [`score at most ${selector.maxScore}`]),
    ...selector.labels.map(sourceOf),
  ];
  const among = selector.among.length > 0 ? ` of ${selector.among.map(sourceOf).join(", ")}` : "";
  const but = selector.exclude?.length ? ` but ${selector.exclude.map(sourceOf).join(", ")}` : "";
  return `best${among}${but}${wishes.length > 0 ? ` with ${wishes.join(", ")}` : ""}`;
}

/** As written in the file. */
function sourceOf(text: Text): string {
  return text.parts.map((part) =>
    part.kind === "literal" ? part.value : `\${{ ${part.source.trim()} }}`
  ).join("");
}
