/** What a summary says of a failure: the cause first, what followed apart from it. */
import type { Failure } from "../engine/event.ts";
import type { RunState, StepState } from "../engine/state.ts";
import { harmless, harmlessText, oneLine } from "./harmless.ts";
import { failureWords, isBad, isIdle, isSilentHook, lookOf } from "./step_words.ts";
import type { Paint } from "./style.ts";

export interface FailureOptions {
  readonly paint: Paint;
  /** Last lines that the step's last attempt printed. */
  readonly tail: (step: string) => readonly string[];
  readonly logPath: (step: string, attempt: number) => string;
  /** Name of the command to type; default `grid`. */
  readonly program?: string;
}

const LONGEST_TAIL_LINE = 1000;
/** Steps that were left out and are named; the report has them all. */
const MOST_NAMED = 20;

/** The root cause: what, where, its last words, its log, and what to type next. */
export function failureBlock(state: RunState, step: StepState, options: FailureOptions): string[] {
  const { paint, program = "grid" } = options;
  const attempts = step.attempts.length;
  const failure = step.failure ?? step.attempts.at(-1)?.failure;
  const where = step.node === undefined ? "" : ` on ${step.node}`;
  const what = failure ? failureWords(failure) : lookOf(step.status).word;
  const times = attempts > 1 ? ` (${attempts} attempts)` : "";
  const tail = options.tail(step.id).map((line) =>
    `  ${paint.dim("│")} ${harmless(bounded(line), { color: paint.color })}`
  );
  const own = failure && addsWords(failure) ? [indented(harmlessText(failure.message))] : [];
  const log = tail.length > 0 ? [`  log   ${options.logPath(step.id, attempts)}`] : [];
  const silent = tail.length === 0 && failure?.started ? [paint.dim("  it printed nothing")] : [];
  return [
    paint.red(paint.bold(`${step.id} ${lookOf(step.status).word}${where}: ${what}${times}`)),
    ...own,
    ...(failure?.hint === undefined ? [] : [`  ${paint.cyan("hint:")} ${oneLine(failure.hint)}`]),
    ...tail,
    ...silent,
    ...log,
    ...nextCommands(state, { step, printed: tail.length > 0, program }).map((command, at) =>
      `  ${at === 0 ? "next" : "    "}  ${paint.bold(command)}`
    ),
  ];
}

/** One endless line must not push the cause off the screen. */
function bounded(line: string): string {
  return line.length > LONGEST_TAIL_LINE ? `${line.slice(0, LONGEST_TAIL_LINE)}…` : line;
}

function nextCommands(
  { run, file }: RunState,
  { step, printed, program }: { step: StepState; printed: boolean; program: string },
): string[] {
  return [
    ...(printed ? [`${program} logs ${run} ${step.id}`] : []),
    // A bare command came from no file that could be read again.
    ...(file === "" ? [] : [`${program} resume ${run}`]),
  ];
}

/** Whether the message says more than the exit code or signal that stands in the headline. */
function addsWords({ message, exitCode, signal }: Failure): boolean {
  if (exitCode !== undefined) return !message.includes(`code ${exitCode}`);
  return signal !== undefined && !message.includes(signal);
}

export function otherFailures(state: RunState, options: FailureOptions): string[] {
  const others = [...state.steps.values()].filter((step) =>
    isBad(step.status) && step.id !== state.firstFailure && step.kind !== "group"
  );
  if (others.length === 0) return [];
  const lines = others.map((step) => {
    const failure = step.failure ? `: ${failureWords(step.failure)}` : "";
    const where = step.node === undefined ? "" : ` on ${step.node}`;
    const log = options.tail(step.id).length > 0
      ? `, log ${options.logPath(step.id, step.attempts.length)}`
      : "";
    return `  ${step.id}${where}${failure}${log}`;
  });
  return [options.paint.bold("Failed after that:"), ...lines];
}

/** Steps that never ran, apart from what broke: they are no causes. */
export function victims(state: RunState, { paint }: FailureOptions): string[] {
  if (state.result === "succeeded") return [];
  const idle = [...state.steps.values()].filter((step) =>
    isIdle(step.status) && !isSilentHook(step)
  );
  if (idle.length === 0) return [];
  const lines = idle.slice(0, MOST_NAMED).map((step) => `  ${step.id}: ${idleReason(step)}`);
  const left = idle.length - lines.length;
  return [
    paint.bold("Not done:"),
    ...lines,
    ...(left > 0 ? [paint.dim(`  … and ${left} more`)] : []),
  ];
}

function idleReason(step: StepState): string {
  if (step.reason !== undefined) return oneLine(step.reason);
  return step.status === "pending" ? "never started" : lookOf(step.status).word;
}

function indented(text: string): string {
  return text.split("\n").map((line) => `  ${line}`).join("\n");
}
