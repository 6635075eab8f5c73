/** Where the time of a run went: what each step waited for, and the steps that nothing could overtake. */
import { edgesOf } from "./graph/graph.ts";
import type { AttemptDocument, RunDocument, StepDocument } from "./run_document.ts";

/**
 * `queue`: could have begun, but waited for its turn. `node`: looked for a node and room there.
 * `retry`: waited before another attempt.
 */
export type PhaseKind = "queue" | "node" | "sync" | "fetch" | "run" | "retry";

/** Milliseconds after the run's beginning. */
export interface Phase {
  readonly kind: PhaseKind;
  readonly from: number;
  readonly to: number;
  /** How the attempt ended; null for what lies between attempts. */
  readonly result: AttemptDocument["result"] | null;
}

export interface TimedStep {
  readonly step: StepDocument;
  /** In order; what took no time at all is left out. */
  readonly phases: readonly Phase[];
}

export interface Timing {
  /** From the beginning of the run to its end, or to the last moment that is known. */
  readonly lengthMs: number;
  readonly phasesOf: (step: StepDocument) => readonly Phase[];
  /** From the run's beginning to its end: each step began when the one before it had ended. */
  readonly path: readonly TimedStep[];
}

export interface TimingOptions {
  /** Milliseconds since its beginning, for a run that is under way. */
  readonly nowMs?: number;
}

/** A step on its way, and the one that it waited for last. */
interface Entry {
  readonly step: StepDocument;
  readonly readyMs: number;
  readonly endMs: number;
  readonly awaited: Entry | undefined;
  phases: readonly Phase[] | undefined;
}

export function timingOf(report: RunDocument, { nowMs }: TimingOptions = {}): Timing {
  const lengthMs = lengthOf(report, nowMs);
  const before = Map.groupBy(edgesOf(report.steps), ({ to }) => to);
  const entries = new Map<string, Entry>();
  let graphEnd: Entry | undefined;
  for (const step of report.steps) {
    // Hooks come one after the other when the graph is done.
    let awaited = step.hook === null ? undefined : graphEnd;
    for (const { from } of step.hook === null ? before.get(step.id) ?? [] : []) {
      const one = entries.get(from);
      if (one && one.endMs >= (awaited?.endMs ?? 0)) awaited = one;
    }
    const readyMs = awaited?.endMs ?? 0;
    const endMs = endOf(step, lengthMs) ?? readyMs;
    const entry: Entry = { step, readyMs, endMs, awaited, phases: undefined };
    entries.set(step.id, entry);
    if (graphEnd === undefined || endMs >= graphEnd.endMs) graphEnd = entry;
  }
  const phasesOf = (entry: Entry) => entry.phases ??= stepPhases(entry, lengthMs);
  const path: TimedStep[] = [];
  for (let entry = graphEnd; entry && path.length <= entries.size; entry = entry.awaited) {
    const phases = phasesOf(entry);
    if (phases.length > 0) path.push({ step: entry.step, phases });
  }
  return {
    lengthMs,
    phasesOf: ({ id }) => {
      const entry = entries.get(id);
      return entry === undefined ? [] : phasesOf(entry);
    },
    path: path.reverse(),
  };
}

function lengthOf({ durationMs, steps }: RunDocument, nowMs: number | undefined): number {
  let latest = durationMs ?? nowMs ?? 1;
  for (const { attempts } of steps) {
    for (const { afterMs, durationMs } of attempts) {
      latest = Math.max(latest, afterMs + (durationMs ?? 0));
    }
  }
  return Math.max(1, latest);
}

function endOf({ attempts }: StepDocument, lengthMs: number): number | undefined {
  const last = attempts.at(-1);
  return last && (last.durationMs === null ? lengthMs : last.afterMs + last.durationMs);
}

function stepPhases({ step, readyMs }: Entry, lengthMs: number): Phase[] {
  const phases: Phase[] = [];
  let at = readyMs;
  let wait: PhaseKind = "queue";
  for (const attempt of step.attempts) {
    const from = attempt.afterMs;
    const to = attempt.durationMs === null ? lengthMs : from + attempt.durationMs;
    add(phases, { kind: wait, from: at, to: from, result: null });
    addAttempt(phases, { kind: step.kind, attempt, from, to });
    at = to;
    wait = "retry";
  }
  if (wait === "retry" && step.state === "running" && step.attempts.at(-1)?.durationMs !== null) {
    add(phases, { kind: "retry", from: at, to: lengthMs, result: null });
  }
  return phases;
}

/** What took no time is left out. */
function add(phases: Phase[], phase: Phase): void {
  if (phase.to > phase.from) phases.push(phase);
}

interface AttemptSpan {
  readonly kind: StepDocument["kind"];
  readonly attempt: AttemptDocument;
  readonly from: number;
  readonly to: number;
}

function addAttempt(phases: Phase[], { kind, attempt, from, to }: AttemptSpan): void {
  const { result } = attempt;
  if (kind === "sync" || kind === "data") return add(phases, { kind: "sync", from, to, result });
  const isSeeking = kind === "select-node" || attempt.node === null;
  const found = isSeeking ? to : Math.min(to, from + (attempt.nodeWaitMs ?? 0));
  add(phases, { kind: "node", from, to: found, result });
  add(phases, { kind: kind === "fetch" ? "fetch" : "run", from: found, to, result });
}
