/** The live picture of a run in a terminal: a pure function of its state. */
import { formatDuration } from "../../core/duration.ts";
import { isCounted } from "../../engine/counted.ts";
import type { RunState, StepState } from "../../engine/reduce.ts";
import { harmless } from "../harmless.ts";
import {
  batchWords,
  durationOf,
  failureWords,
  isBad,
  lookOf,
  nodesOf,
  resultWords,
  tellerOf,
} from "../step_words.ts";
import { type NamesFor, namesFor } from "../step_names.ts";
import type { Paint } from "../style.ts";
import { cut, displayWidth, padEnd, padStart } from "../width.ts";

export interface FrameOptions {
  /** The run's beginning, and the milliseconds that have passed since. */
  readonly now: number;
  readonly width: number;
  /** Lines that the frame may have. */
  readonly height: number;
  readonly paint: Paint;
  /** The last line that a running step printed. */
  readonly lastLine: (step: string) => string | undefined;
  /** Default: worked out anew. */
  readonly namesFor?: NamesFor;
  /** What earlier runs of the pipeline took, in milliseconds. */
  readonly usualMs?: number | undefined;
}

interface Columns {
  readonly nameOf: (id: string) => string;
  readonly id: number;
  readonly node: number;
  readonly detail: number;
}

const TIME_WIDTH = 7;
const BAR_WIDTH = 16;

export function renderFrame(state: RunState, options: FrameOptions): string {
  const steps = visibleSteps([...state.steps.values()], Math.max(1, options.height - 3));
  const { width, namesFor: names = namesFor } = options;
  const nameOf = names(state, Math.max(10, Math.floor(width / 3)));
  const columns = columnsOf(steps.shown, { width, nameOf });
  const elapsedMs = options.now - state.startedAt;
  const lines = steps.shown.map((step) =>
    stepLine(step, { ...options, columns, elapsedMs, steps: state.steps })
  );
  const hidden = steps.hidden === 0 ? [] : [options.paint.dim(`  … ${steps.hidden} more steps`)];
  return [headLine(state, options), "", ...lines, ...hidden].join("\n");
}

function headLine(state: RunState, { now, width, paint, usualMs }: FrameOptions): string {
  const steps = [...state.steps.values()].filter((step) =>
    isCounted(step) && step.hook === undefined
  );
  const done = steps.filter((step) => step.finishedAt !== undefined).length;
  const took = now - state.startedAt;
  const known = `${done} of ${steps.length} steps · ${formatDuration(took)}`;
  const left = timeLeft(took, usualMs);
  const wanted = displayWidth(state.pipeline) + displayWidth(known + left) + 3;
  const facts = wanted <= width ? known + left : known;
  const name = cut(state.pipeline, Math.max(8, width - displayWidth(facts) - 3));
  const run = displayWidth(name) + displayWidth(facts) + state.run.length + 6 <= width
    ? ` · ${state.run}`
    : "";
  return `${paint.bold(name)}${paint.dim(`${run} · ${facts}`)}`;
}

/** By what is usual; nothing once it takes longer, for then nobody knows. */
function timeLeft(tookMs: number, usualMs: number | undefined): string {
  const left = (usualMs ?? 0) - tookMs;
  return left < SHORTEST_LEFT_MS ? "" : ` · about ${formatDuration(left)} left`;
}

/** Less is over before it is read. */
const SHORTEST_LEFT_MS = 1000;

/** Where not all fit: what runs or went wrong first, then what ended last, then what waits. */
function visibleSteps(
  steps: readonly StepState[],
  room: number,
): { readonly shown: readonly StepState[]; readonly hidden: number } {
  if (steps.length <= room) return { shown: steps, hidden: 0 };
  const rank = (step: StepState) => {
    if (step.status === "running") return 0;
    if (step.status === "failed" || step.status === "timed-out") return 1;
    return step.status === "pending" ? 3 : 2;
  };
  const byImportance = steps.map((step, at) => ({ step, at })).sort((a, b) =>
    rank(a.step) - rank(b.step) ||
    (b.step.finishedAt ?? 0) - (a.step.finishedAt ?? 0) || a.at - b.at
  );
  const shown = byImportance.slice(0, Math.max(1, room - 1)).sort((a, b) => a.at - b.at);
  return { shown: shown.map(({ step }) => step), hidden: steps.length - shown.length };
}

function columnsOf(
  steps: readonly StepState[],
  { width, nameOf }: { readonly width: number; readonly nameOf: (id: string) => string },
): Columns {
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(displayWidth));
  const id = widest(steps.map((step) => nameOf(step.id)));
  const node = Math.min(widest(steps.map(nodesOf)), 16);
  // Mark, then two blanks between columns.
  const detail = width - 2 - id - (node > 0 ? node + 2 : 0) - TIME_WIDTH - 4;
  return { nameOf, id, node, detail: Math.max(0, detail) };
}

interface LineOptions extends FrameOptions {
  readonly columns: Columns;
  /** Since the run's beginning. */
  readonly elapsedMs: number;
  readonly steps: ReadonlyMap<string, StepState>;
}

function stepLine(step: StepState, options: LineOptions): string {
  const { paint, columns, elapsedMs } = options;
  const look = lookOf(step.status);
  const ms = durationOf(step, elapsedMs);
  const time = padStart(ms === undefined ? "" : formatDuration(ms), TIME_WIDTH);
  const node = columns.node > 0
    ? `  ${padEnd(cut(nodesOf(step), columns.node), columns.node)}`
    : "";
  const detail = cut(detailOf(step, options), columns.detail);
  const facts = detail === "" ? `${node}  ${time}`.trimEnd() : `${node}  ${time}`;
  const id = columns.nameOf(step.id);
  const name = facts === "" ? id : padEnd(id, columns.id);
  const isIdle = step.status === "pending" || step.status === "skipped";
  const head = `${paint[look.hue](look.mark)} ${isIdle ? paint.dim(name) : name}`;
  if (detail === "") return `${head}${paint.dim(facts)}`;
  return `${head}${paint.dim(facts)}  ${paint[isBad(step.status) ? "red" : "dim"](detail)}`;
}

function detailOf(step: StepState, options: LineOptions): string {
  if (step.status === "pending") return "";
  if (step.status !== "running") return resultWords(step, tellerOf(step, options.steps.values()));
  const attempt = step.attempts.at(-1);
  const parts: string[] = [];
  if (attempt?.retryInMs !== undefined && attempt.finishedAt !== undefined) {
    const ended = attempt.afterMs + (attempt.durationMs ?? 0);
    const left = Math.max(0, ended + attempt.retryInMs - options.elapsedMs);
    const why = attempt.failure ? ` after ${failureWords(attempt.failure)}` : "";
    return `attempt ${attempt.attempt + 1} in ${formatDuration(left)}${why}`;
  }
  if (step.attempts.length > 1) parts.push(`attempt ${step.attempts.length}`);
  if (attempt?.batch) {
    const { done, total } = attempt.batch;
    parts.push(`${bar(total > 0 ? done / total : 0)} ${batchWords(attempt.batch)}`);
  }
  const last = options.lastLine(step.id);
  if (last !== undefined) parts.push(harmless(last, { color: false }).replaceAll("\t", " ").trim());
  return parts.join(" · ");
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH);
  return "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
}
