/** Steps linked to those that wait for them; what the scheduler keeps its books on. */
import { GridError } from "../../core/errors.ts";
import type { GroupAction, Step } from "../../pipeline/pipeline.ts";
import type { Text } from "../../expression/text.ts";
import type { StepResult } from "../event.ts";
import { Fifo } from "./fifo.ts";
import type { Halt } from "./verdict.ts";

export type Phase = "waiting" | "due" | "ready" | "running" | "ended";

/** One step and where it stands. The scheduler alone changes it. */
export interface Vertex {
  readonly step: Step;
  readonly parent: Vertex | undefined;
  /** Steps that wait for this one: `needs` wants success, `after` only the end. */
  readonly dependents: { readonly vertex: Vertex; readonly edge: "needs" | "after" }[];
  readonly group: GroupBooks | undefined;
  phase: Phase;
  /** Steps before it that have not ended, and one more while its group is not open. */
  waitingFor: number;
  unmet: string | undefined;
  failedBefore: boolean;
  /** The failure that all of this comes from: `"train" failed`. */
  root: string | undefined;
  holdsGroupSlot: boolean;
  result: StepResult | undefined;
  passesOn: boolean;
  /** The halt that was known when its condition was judged. */
  judgedUnder: Halt | undefined;
  /** What it was judged by is no longer so. */
  isOutdated: boolean;
}

/** What a group step knows of its members. */
export interface GroupBooks {
  readonly action: GroupAction<Text>;
  readonly members: Vertex[];
  /** Members let in by `max-parallel` and not ended. */
  inside: number;
  /** Members that wait for `max-parallel`. */
  readonly queue: Fifo<Vertex>;
  left: number;
  halted: Halt | undefined;
}

/** @throws {GridError} `bug` for an id that no step has */
export function linkSteps(steps: readonly Step[]): ReadonlyMap<string, Vertex> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const vertices = new Map<string, Vertex>();
  const vertexOf = (id: string): Vertex => {
    const known = vertices.get(id);
    if (known) return known;
    const step = byId.get(id);
    if (!step) {
      throw new GridError({ code: "bug", message: `Cannot schedule "${id}": no such step` });
    }
    const vertex = newVertex(step, step.group === undefined ? undefined : vertexOf(step.group));
    vertices.set(id, vertex);
    return vertex;
  };
  for (const step of steps) vertexOf(step.id);
  const inFileOrder = new Map(steps.map((step) => [step.id, vertexOf(step.id)]));
  for (const vertex of inFileOrder.values()) linkOne(vertex, vertexOf);
  return inFileOrder;
}

function newVertex(step: Step, parent: Vertex | undefined): Vertex {
  const { action } = step;
  const group = action.kind === "group"
    ? { action, members: [], inside: 0, queue: new Fifo<Vertex>(), left: 0, halted: undefined }
    : undefined;
  return {
    step,
    parent,
    dependents: [],
    group,
    phase: "waiting",
    waitingFor: 0,
    unmet: undefined,
    failedBefore: false,
    root: undefined,
    holdsGroupSlot: false,
    result: undefined,
    passesOn: false,
    judgedUnder: undefined,
    isOutdated: false,
  };
}

function linkOne(vertex: Vertex, vertexOf: (id: string) => Vertex): void {
  const { step, parent } = vertex;
  const link = (id: string, edge: "needs" | "after") => {
    const before = vertexOf(id);
    // A group waits for its own members by being their group.
    if (before.parent === vertex) return;
    before.dependents.push({ vertex, edge });
    vertex.waitingFor++;
  };
  for (const id of step.needs) link(id, "needs");
  for (const id of step.after) link(id, "after");
  if (parent?.group) {
    parent.group.members.push(vertex);
    parent.group.left++;
    vertex.waitingFor++;
  }
}

/** Whether `vertex` is a member of `group`, at any depth. */
export function isWithin(vertex: Vertex, group: string): boolean {
  for (let up = vertex.parent; up; up = up.parent) {
    if (up.step.id === group) return true;
  }
  return false;
}
