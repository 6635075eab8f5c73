/**
 * Says what may happen next in a graph of steps. Bookkeeping only: no clock, no input or output, no
 * chance. The work done for an event is proportional to what the event changes.
 */
import { GridError } from "../../core/errors.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { StepResult } from "../event.ts";
import { Fifo } from "./fifo.ts";
import { isWithin, linkSteps, type Vertex } from "./graph.ts";
import { haltAround, type HaltOrder, type Revoked, revokeVertex, standingOf } from "./standing.ts";
import {
  failureWords,
  groupEnd,
  type Halt,
  isFailure,
  type MemberEnd,
  satisfies,
  type Standing,
  unmetReason,
} from "./verdict.ts";

export interface SchedulerOptions {
  /** Steps that may run at the same time; groups do not count. */
  readonly maxParallel: number;
  /** The first failure that nothing allows halts the whole graph. */
  readonly failFast: boolean;
}

/** What the caller must do now. */
export type Decision =
  /** Everything before it ended: answer with `admit` or `end`, or later with `judgeAgain`. */
  | { readonly kind: "judge"; readonly step: Step; readonly standing: Standing }
  /** It runs from now on: answer with `end` once it is over. */
  | { readonly kind: "start"; readonly step: Step }
  /** A group may begin: its members become due. */
  | { readonly kind: "open"; readonly step: Step }
  /** All members of the group ended: answer with `end`. */
  | { readonly kind: "close"; readonly step: Step; readonly end: MemberEnd };

export interface EndOptions {
  readonly result: StepResult;
  /** For `skipped`: whether steps that need this one are skipped too. */
  readonly passesOn?: boolean;
}

export class Scheduler {
  readonly #vertices: ReadonlyMap<string, Vertex>;
  readonly #options: SchedulerOptions;
  readonly #due = new Fifo<Vertex>();
  readonly #opening = new Fifo<Vertex>();
  readonly #ready = new Fifo<Vertex>();
  readonly #closing = new Fifo<Vertex>();
  #running = 0;
  #left: number;
  #halted: Halt | undefined;

  constructor(steps: readonly Step[], options: SchedulerOptions) {
    this.#vertices = linkSteps(steps);
    this.#options = options;
    this.#left = steps.length;
    for (const vertex of this.#vertices.values()) {
      if (vertex.waitingFor === 0) this.#becomeDue(vertex);
    }
  }

  /** Every step has ended. */
  get done(): boolean {
    return this.#left === 0;
  }

  /** Groups apart. */
  get running(): number {
    return this.#running;
  }

  /** Why nothing can go on, where nothing runs and not all have ended. */
  stuck(): GridError {
    const waiting = [...this.#vertices.values()].filter(({ phase }) => phase !== "ended")
      .map(({ step }) => step.id);
    return new GridError({
      code: "bug",
      message: `Cannot go on: nothing runs and ${waiting.join(", ")} still wait`,
    });
  }

  /** Members of a group at any depth, innermost first. */
  membersOf(group: string): Step[] {
    const members = this.#vertex(group).group?.members ?? [];
    return members.flatMap(({ step }) => [...this.membersOf(step.id), step]);
  }

  isWithin(id: string, group: string): boolean {
    return isWithin(this.#vertex(id), group);
  }

  /** The next thing to do; undefined until a running step ends, or for good once `done`. */
  next(): Decision | undefined {
    return this.#nextClose() ?? this.#nextJudge() ?? this.#nextOpen() ?? this.#nextStart();
  }

  /** The step could not be judged yet. */
  judgeAgain(id: string): void {
    this.#due.push(this.#in(id, "due"));
  }

  /** The step's condition is true: it starts once the limits let it. */
  admit(id: string): void {
    const vertex = this.#in(id, "due");
    vertex.judgedUnder = this.#haltOf(vertex);
    vertex.isOutdated = false;
    vertex.phase = "ready";
    const books = vertex.parent?.group;
    if (!books || vertex.holdsGroupSlot) return this.#enqueue(vertex);
    if (books.inside >= (books.action.maxParallel ?? Number.POSITIVE_INFINITY)) {
      books.queue.push(vertex);
    } else {
      this.#letIn(vertex);
    }
  }

  /**
   * The step is over, or never runs. Members of a group that never opens end before the group.
   * Returns what must be ended because of it.
   */
  end(id: string, { result, passesOn = false }: EndOptions): HaltOrder | undefined {
    const vertex = this.#vertex(id);
    if (vertex.phase === "ended") throw bug(id, "ends twice");
    const wasOpen = vertex.phase === "running";
    if (wasOpen && !vertex.group) this.#running--;
    vertex.phase = "ended";
    vertex.result = result;
    vertex.passesOn = passesOn;
    this.#left--;
    this.#tellDependents(vertex, passesOn);
    this.#tellParent(vertex);
    return this.#failFast(vertex);
  }

  /** A step that had succeeded did not after all, nor did the groups around it. */
  revoke(id: string, result: StepResult): Revoked {
    const vertex = this.#vertex(id);
    revokeVertex(vertex, result);
    const { parent } = vertex;
    const outer = parent?.phase === "ended" && !parent.step.allowFailure && isFailure(result)
      ? this.revoke(parent.step.id, result)
      : undefined;
    const order = this.#failFast(vertex) ?? outer?.order;
    return { steps: [vertex.step, ...outer?.steps ?? []], order };
  }

  /** Nothing ordinary starts any more. */
  halt(halt: Halt): void {
    this.#halted = halt;
  }

  #nextClose(): Decision | undefined {
    const group = this.#closing.shift();
    const books = group?.group;
    if (!group || !books) return undefined;
    const members = books.members.map(({ result = "skipped", passesOn }) => ({ result, passesOn }));
    return { kind: "close", step: group.step, end: groupEnd(members, group.step.allowFailure) };
  }

  #nextJudge(): Decision | undefined {
    const vertex = this.#due.shift();
    if (!vertex) return undefined;
    return { kind: "judge", step: vertex.step, standing: this.#standing(vertex) };
  }

  #nextOpen(): Decision | undefined {
    const vertex = this.#opening.shift();
    if (!vertex) return undefined;
    if (this.#mustBeJudgedAgain(vertex)) return this.#judgeAgain(vertex);
    vertex.phase = "running";
    const members = vertex.group?.members ?? [];
    for (const member of members) this.#countDown(member);
    if (members.length === 0) this.#closing.push(vertex);
    return { kind: "open", step: vertex.step };
  }

  #nextStart(): Decision | undefined {
    const vertex = this.#ready.peek();
    if (!vertex) return undefined;
    if (this.#mustBeJudgedAgain(vertex)) {
      this.#ready.shift();
      return this.#judgeAgain(vertex);
    }
    if (this.#running >= this.#options.maxParallel) return undefined;
    this.#ready.shift();
    vertex.phase = "running";
    this.#running++;
    return { kind: "start", step: vertex.step };
  }

  #mustBeJudgedAgain(vertex: Vertex): boolean {
    return vertex.isOutdated || vertex.judgedUnder !== this.#haltOf(vertex);
  }

  #judgeAgain(vertex: Vertex): Decision {
    vertex.phase = "due";
    return { kind: "judge", step: vertex.step, standing: this.#standing(vertex) };
  }

  #standing(vertex: Vertex): Standing {
    return standingOf(vertex, this.#haltOf(vertex));
  }

  #haltOf(vertex: Vertex): Halt | undefined {
    return this.#halted ?? haltAround(vertex);
  }

  #letIn(vertex: Vertex): void {
    const books = vertex.parent?.group;
    if (books) {
      books.inside++;
      vertex.holdsGroupSlot = true;
    }
    this.#enqueue(vertex);
  }

  #enqueue(vertex: Vertex): void {
    (vertex.group ? this.#opening : this.#ready).push(vertex);
  }

  #becomeDue(vertex: Vertex): void {
    vertex.phase = "due";
    this.#due.push(vertex);
  }

  #countDown(vertex: Vertex): void {
    vertex.waitingFor--;
    if (vertex.waitingFor === 0 && vertex.phase === "waiting") this.#becomeDue(vertex);
  }

  #tellDependents(vertex: Vertex, passesOn: boolean): void {
    const result = vertex.result ?? "skipped";
    const satisfied = satisfies(result, passesOn);
    const root = passesOn ? vertex.root : failureWords(vertex.step.id, result);
    for (const { vertex: dependent, edge } of vertex.dependents) {
      if (edge === "needs" && !satisfied) {
        dependent.unmet ??= unmetReason(vertex.step.id, { result, root: vertex.root });
      }
      dependent.root ??= root;
      if (isFailure(result) || passesOn) dependent.failedBefore = true;
      this.#countDown(dependent);
    }
  }

  #tellParent(vertex: Vertex): void {
    const group = vertex.parent;
    const books = group?.group;
    if (!group || !books) return;
    books.left--;
    if (vertex.holdsGroupSlot) {
      books.inside--;
      const next = books.queue.shift();
      if (next) this.#letIn(next);
    }
    if (books.left === 0 && group.phase === "running") this.#closing.push(group);
  }

  /** The outermost thing that this failure halts; a group that allows failure keeps it inside. */
  #failFast({ result, parent, step }: Vertex): HaltOrder | undefined {
    if (result === undefined || !isFailure(result)) return undefined;
    let target: Vertex | undefined;
    let up = parent;
    for (; up; up = up.parent) {
      if (up.group?.action.failFast) target = up;
      if (up.step.allowFailure) break;
    }
    const haltsAll = up === undefined && this.#options.failFast;
    const reason = `${failureWords(step.id, result)} (fail-fast)`;
    const halt: Halt = { kind: "fail-fast", reason };
    if (haltsAll) return this.#halted ? undefined : this.#haltAll(halt);
    if (!target?.group || target.group.halted) return undefined;
    target.group.halted = halt;
    return { halt, group: target.step.id };
  }

  #haltAll(halt: Halt): HaltOrder {
    this.#halted = halt;
    return { halt, group: undefined };
  }

  #in(id: string, phase: Vertex["phase"]): Vertex {
    const vertex = this.#vertex(id);
    if (vertex.phase !== phase) throw bug(id, `is ${vertex.phase}, not ${phase}`);
    return vertex;
  }

  #vertex(id: string): Vertex {
    const vertex = this.#vertices.get(id);
    if (!vertex) throw bug(id, "is not part of the graph");
    return vertex;
  }
}

function bug(id: string, state: string): GridError {
  return new GridError({ code: "bug", message: `Cannot schedule "${id}": it ${state}` });
}
