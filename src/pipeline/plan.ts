import type { NodeRequest, NodeSelector, Pipeline, Step } from "./pipeline.ts";
import type { Text } from "./text.ts";
import { formatSize } from "../core/size.ts";

/** One line of `grid plan`. */
export interface PlannedStep {
  readonly id: string;
  readonly kind: string;
  /** Steps of one wave may run at the same time; counts from 1. */
  readonly wave: number;
  /** Where it would run, in words. */
  readonly node: string;
  /** For the first steps within a group also what the group waits for. */
  readonly needs: readonly string[];
  readonly after: readonly string[];
  /** The matrix or template that the step is a part of. */
  readonly group?: string;
}

/** What a run would do, in the order it could do it. */
export function planOf(pipeline: Pipeline): PlannedStep[] {
  const waves = new Map<string, number>();
  const steps = new Map(pipeline.steps.map((step) => [step.id, step]));
  return pipeline.steps.map((step) => {
    const members = step.action.kind === "group" ? step.action.members : [];
    const before = [...startsAfter(step, steps), ...members].map((id) => waves.get(id) ?? 0);
    const wave = Math.max(0, ...before) + 1;
    waves.set(step.id, wave);
    return {
      id: step.id,
      kind: step.action.kind,
      wave,
      node: nodeWords(step),
      needs: waitsFor(step, "needs", steps),
      after: waitsFor(step, "after", steps),
      ...(step.group !== undefined && { group: step.group }),
    };
  });
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
      return step.action.to === "all" ? "all nodes" : step.action.to.map(sourceOf).join(", ");
    case "select-node":
      return selectorWords(step.action.selector);
    case "group":
      return "";
    default:
      return requestWords(step.node);
  }
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
    ...selector.labels.map(sourceOf),
  ];
  const among = selector.among.length > 0 ? ` of ${selector.among.map(sourceOf).join(", ")}` : "";
  return `best${among}${wishes.length > 0 ? ` with ${wishes.join(", ")}` : ""}`;
}

/** As written in the file. */
function sourceOf(text: Text): string {
  return text.parts.map((part) =>
    part.kind === "literal" ? part.value : `\${{ ${part.source.trim()} }}`
  ).join("");
}
