/** Failures that are one and the same, however many steps they hit. */
import { isImageLine } from "../core/image_line.ts";
import type { Failure } from "./event.ts";
import type { RunState, StepState } from "./reduce.ts";

export interface FailureGroup {
  /** What they have in common, short: `exit code 1: CUDA out of memory`. */
  readonly words: string;
  /** In the order of the run. */
  readonly steps: readonly StepState[];
}

/** Last lines that a step printed; as much as is at hand. */
export type TailOf = (step: string) => readonly string[];

const LONGEST_WORDS = 120;
/** Of which numbers are sought. */
const LONGEST_LINE = 4000;
/** Numbers, addresses and ids differ from cell to cell where the failure does not. */
const VARYING = /0x[0-9a-f]+|\d+(?:\.\d+)?/gi;

/** The failures of a run's steps, that of the first failure first, then the most frequent. */
export function failureGroups(state: RunState, tail: TailOf): readonly FailureGroup[] {
  const failed = [...state.steps.values()].filter(isFailed);
  const groups = [...Map.groupBy(failed, (step) => fingerprintOf(step, tail)).values()];
  const isFirst = (steps: readonly StepState[]) =>
    steps.some(({ id }) => id === state.firstFailure) ? 0 : 1;
  return groups.toSorted((a, b) => isFirst(a) - isFirst(b) || b.length - a.length)
    .map((steps) => ({ words: wordsOf(steps, tail), steps }));
}

/** Steps whose own work went wrong; a group fails with its members. */
function isFailed({ kind, status, failure }: StepState): boolean {
  return (status === "failed" || status === "timed-out") && kind !== "group" &&
    failure !== undefined;
}

/** The same for two failures that differ in nothing but numbers. */
export function fingerprintOf(step: StepState, tail: TailOf): string {
  const { failure } = step;
  if (failure === undefined) return step.status;
  const { code, exitCode, signal, message } = failure;
  const own = exitCode === undefined && signal === undefined ? message : "";
  const last = lastLineOf(step, tail) ?? "";
  return JSON.stringify([code, exitCode, signal, varied(own), cut(varied(last))]);
}

/** Of a line that is cut later: how much of it is left must not depend on how long its numbers are. */
function varied(text: string): string {
  return text.replaceAll(VARYING, "#");
}

function wordsOf([first]: readonly StepState[], tail: TailOf): string {
  if (first?.failure === undefined) return first?.status ?? "";
  const last = lastLineOf(first, tail);
  const kind = kindOf(first.failure);
  return cut(last === undefined ? kind : `${kind}: ${cut(last)}`);
}

/** Whether a time limit is the cause, whatever the command ended with once it was told to stop. */
export function isLate({ code, rank }: Failure): boolean {
  return code === "timed-out" && rank === undefined;
}

function kindOf(failure: Failure): string {
  const { exitCode, message } = failure;
  const signal = isLate(failure) ? undefined : failure.signal;
  if (!isLate(failure) && exitCode !== undefined) return `exit code ${exitCode}`;
  return signal === undefined ? message.replaceAll(/\s+/g, " ") : `ended by ${signal}`;
}

/** What the command itself said last; nothing of one that never ran. */
function lastLineOf({ id, failure }: StepState, tail: TailOf): string | undefined {
  if (failure?.started !== true) return undefined;
  const line = tail(id).findLast((line) => line.trim() !== "" && !isImageLine(line))?.trim();
  return line?.slice(0, LONGEST_LINE);
}

function cut(text: string, longest = LONGEST_WORDS): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** `97× exit code 1: CUDA out of memory, 2× exit code 3`; undefined where all failures are the first. */
export function causesOf(groups: readonly FailureGroup[]): string | undefined {
  if (groups.length < 2) return undefined;
  const most = groups.slice(0, MOST_CAUSES);
  const shorts = most.map(shortOf);
  const isAlone = (short: string) => shorts.indexOf(short) === shorts.lastIndexOf(short);
  const shown = most.map(({ steps, words }, at) => {
    const short = shorts[at] ?? "";
    // Kinds that several have in common would not tell them apart.
    return `${steps.length}× ${isAlone(short) ? short : cut(words, LONGEST_SENTENCE)}`;
  });
  const left = groups.length - shown.length;
  return `${shown.join(", ")}${left > 0 ? ` and ${left} more kinds` : ""}`;
}

const MOST_CAUSES = 4;
/** A sentence that is told elsewhere is named by its kind. */
const LONGEST_SENTENCE = 40;

function shortOf({ words, steps: [first] }: FailureGroup): string {
  const code = first?.failure?.started === false ? first.failure.code : undefined;
  return code === undefined || words.length <= LONGEST_SENTENCE ? words : code;
}
