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

export function timingOf(report: RunDocument, { nowMs }: TimingOptions = {}): Timing {
  const lengthMs = lengthOf(report, nowMs);
  const before = new Map<string, string[]>();
  for (const { from, to } of edgesOf(report.steps)) {
    const known = before.get(to);
    if (known) known.push(from);
    else before.set(to, [from]);
  }
  const ends = new Map<string, number>();
  /** Of what a step waited for, the one that ended last. */
  const last = new Map<string, string>();
  const ready = new Map<string, number>();
  let graphEnd: string | undefined;
  for (const step of report.steps) {
    const { id, hook } = step;
    const waits = hook === null
      ? before.get(id) ?? []
      // Hooks come one after the other when the graph is done.
      : graphEnd === undefined
      ? []
      : [graphEnd];
    let awaited: string | undefined;
    for (const one of waits) {
      if (awaited === undefined || (ends.get(one) ?? 0) >= (ends.get(awaited) ?? 0)) awaited = one;
    }
    const from = awaited === undefined ? 0 : ends.get(awaited) ?? 0;
    if (awaited !== undefined) last.set(id, awaited);
    ready.set(id, from);
    const end = endOf(step, lengthMs) ?? from;
    ends.set(id, end);
    if (graphEnd === undefined || end >= (ends.get(graphEnd) ?? 0)) graphEnd = id;
  }
  const phases = new Map<string, readonly Phase[]>();
  const phasesOf = (step: StepDocument) => {
    const known = phases.get(step.id);
    if (known) return known;
    const found = stepPhases(step, { readyMs: ready.get(step.id) ?? 0, lengthMs });
    phases.set(step.id, found);
    return found;
  };
  const known = new Map(report.steps.map((step) => [step.id, step]));
  const path: TimedStep[] = [];
  for (let id = graphEnd; id !== undefined && path.length <= known.size; id = last.get(id)) {
    const step = known.get(id);
    const phases = step ? phasesOf(step) : [];
    if (step && phases.length > 0) path.push({ step, phases });
  }
  return { lengthMs, phasesOf, path: path.reverse() };
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

interface PhaseOptions {
  /** When nothing kept the step any more. */
  readonly readyMs: number;
  readonly lengthMs: number;
}

function stepPhases(step: StepDocument, { readyMs, lengthMs }: PhaseOptions): Phase[] {
  const phases: Phase[] = [];
  let at = readyMs;
  let wait: PhaseKind = "queue";
  for (const attempt of step.attempts) {
    const from = attempt.afterMs;
    const to = attempt.durationMs === null ? lengthMs : from + attempt.durationMs;
    phases.push({ kind: wait, from: at, to: from, result: null });
    phases.push(...attemptPhases(step, { attempt, from, to }));
    at = to;
    wait = "retry";
  }
  if (wait === "retry" && step.state === "running" && at < lengthMs) {
    const last = step.attempts.at(-1);
    if (last?.durationMs !== null) {
      phases.push({ kind: "retry", from: at, to: lengthMs, result: null });
    }
  }
  return phases.filter(({ from, to }) => to > from);
}

interface AttemptSpan {
  readonly attempt: AttemptDocument;
  readonly from: number;
  readonly to: number;
}

function attemptPhases({ kind }: StepDocument, { attempt, from, to }: AttemptSpan): Phase[] {
  const { result } = attempt;
  if (kind === "sync" || kind === "data") return [{ kind: "sync", from, to, result }];
  const isSeeking = kind === "select-node" || attempt.node === null;
  const found = isSeeking ? to : Math.min(to, from + (attempt.nodeWaitMs ?? 0));
  return [
    { kind: "node", from, to: found, result },
    { kind: kind === "fetch" ? "fetch" : "run", from: found, to, result },
  ];
}
