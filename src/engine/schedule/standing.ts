/** Where a step of a graph stands by what came before it. */
import type { Step } from "../../pipeline/pipeline.ts";
import type { StepResult } from "../event.ts";
import type { Vertex } from "./graph.ts";
import {
  failureWords,
  type Halt,
  isFailure,
  satisfies,
  type Standing,
  unmetReason,
} from "./verdict.ts";

/** Steps under way inside `group` (undefined: all of them) are to be ended. */
export interface HaltOrder {
  readonly halt: Halt;
  readonly group: string | undefined;
}

/** What else did not succeed after all, and what is to be ended because of it. */
export interface Revoked {
  /** The innermost first. */
  readonly steps: readonly Step[];
  readonly order: HaltOrder | undefined;
}

/** A cell stands where its matrix stands: what is before the matrix is before every cell. */
export function standingOf(vertex: Vertex, halted: Halt | undefined): Standing {
  const { parent } = vertex;
  const matrix = parent?.group?.action.of === "matrix" ? parent : undefined;
  return {
    unmet: vertex.unmet ?? matrix?.unmet,
    failedBefore: vertex.failedBefore || (matrix?.failedBefore ?? false),
    halted,
  };
}

/** What halts the innermost group around it that is halted. */
export function haltAround({ parent }: Vertex): Halt | undefined {
  for (let up = parent; up; up = up.parent) {
    if (up.group?.halted) return up.group.halted;
  }
  return undefined;
}

/** A step that had succeeded did not after all: what has not started is judged by that. */
export function revokeVertex(vertex: Vertex, result: StepResult): void {
  vertex.result = result;
  const { id } = vertex.step;
  const root = failureWords(id, result);
  for (const { vertex: dependent, edge } of vertex.dependents) {
    if (dependent.phase === "ended") continue;
    if (edge === "needs" && !satisfies(result, false)) {
      dependent.unmet ??= unmetReason(id, { result, root: vertex.root });
    }
    dependent.root ??= root;
    dependent.failedBefore ||= isFailure(result);
    for (const late of [dependent, ...dependent.group?.members ?? []]) late.isOutdated = true;
  }
}
