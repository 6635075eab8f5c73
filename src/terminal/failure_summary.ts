/** What a summary says of a failure: the cause first, what followed apart from it. */
import type { Failure } from "../engine/event.ts";
import { causesOf, failureGroups, isLate } from "../engine/fingerprint.ts";
import type { RunState, StepState } from "../engine/reduce.ts";
import { unkeptWords } from "../engine/unkept_output.ts";
import { quote } from "../core/shell.ts";
import { harmless, harmlessText, oneLine } from "./harmless.ts";
import { failureWords, lookOf } from "./step_words.ts";
import type { Paint } from "./style.ts";
import { wrapHanging } from "./width.ts";

export interface FailureOptions {
  /** Infinite where nothing is to be wrapped. */
  readonly width: number;
  readonly paint: Paint;
  /** Last lines that the step's last attempt printed. */
  readonly tail: (step: string) => readonly string[];
  readonly logPath: (step: string, attempt: number) => string;
  /** Whether a file is there, for only those are named; default: all are. */
  readonly exists?: (path: string) => boolean;
  /** Name of the command to type; default `grid`. */
  readonly program?: string;
}

const LONGEST_TAIL_LINE = 1000;
/** The root cause: what, where, its last words, its log, and what to type next. */
export function failureBlock(state: RunState, step: StepState, options: FailureOptions): string[] {
  const { width, paint, program = "grid" } = options;
  const attempts = step.attempts.length;
  const failure = step.failure ?? step.attempts.at(-1)?.failure;
  const where = whereOf(step);
  const what = failure ? failureWords(failure) : lookOf(step.status).word;
  const times = attempts > 1 ? ` (${attempts} attempts)` : "";
  const headline = `${step.id} ${lookOf(step.status).word}${where}: ${what}${times}`;
  const tail = options.tail(step.id).map((line) =>
    `  ${paint.dim("│")} ${harmless(bounded(line), { color: paint.color })}`
  );
  const own = failure && addsWords(failure)
    ? harmlessText(newWords(failure)).split("\n").flatMap((line) =>
      wrapHanging(line, { width, indent: 2 })
    )
    : [];
  const path = logOf(step, options);
  const log = path === undefined ? [] : [`  log   ${path}`];
  const nothing = tail.length === 0 && failure?.started ? "it printed nothing" : undefined;
  const unkept = unkeptWords(step.attempts.at(-1) ?? {}) ?? nothing;
  const silent = unkept === undefined ? [] : [paint.dim(`  ${unkept}`)];
  return [
    ...wrapHanging(headline, { width, indent: 0 }).map((line) => paint.red(paint.bold(line))),
    ...own,
    ...(failure?.hint === undefined ? [] : hintLines(failure.hint, options)),
    ...notRetriedLines(step, options),
    ...tail,
    ...silent,
    ...log,
    ...nextCommands(state, { step, printed: tail.length > 0, program }).map((command, at) =>
      `  ${at === 0 ? "next" : "    "}  ${paint.bold(command)}`
    ),
  ];
}

function notRetriedLines({ attempts }: StepState, { width, paint }: FailureOptions): string[] {
  const reason = attempts.at(-1)?.notRetried;
  if (reason === undefined) return [];
  const words = `not retried, because ${oneLine(reason)}`;
  return wrapHanging(words, { width, indent: 2 }).map((line) => paint.dim(line));
}

function hintLines(hint: string, { width, paint }: FailureOptions): string[] {
  const [first = "", ...more] = wrapHanging(`hint: ${oneLine(hint)}`, { width, indent: 2 });
  return [first.replace("hint:", paint.cyan("hint:")), ...more];
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
    ...(printed ? [`${program} logs ${run} ${quote(step.id)}`] : []),
    // A bare command came from no file that could be read again.
    ...(file === "" ? [] : [`${program} resume ${run}`]),
  ];
}

/** Whether the message says more than the exit code or signal that stands in the headline. */
function addsWords(failure: Failure): boolean {
  const { message, exitCode, signal, rank } = failure;
  if (isLate(failure)) return false;
  // It says what became of the others.
  if (rank !== undefined) return exitCode !== undefined || signal !== undefined;
  if (exitCode !== undefined) return !message.includes(`code ${exitCode}`);
  return signal !== undefined && !message.includes(signal);
}

/** Of a step on many nodes the headline names the rank, its node and how it ended already. */
function newWords({ message, rank, node }: Failure): string {
  const told = `Cannot finish the command: rank ${rank} on "${node}" `;
  const end = message.indexOf("; ");
  return message.startsWith(told) && end > 0 ? message.slice(end + 2) : message;
}

/** Of the last attempt; undefined where it printed nothing, or there was no room to keep it. */
export function logOf(step: StepState, options: FailureOptions): string | undefined {
  if (options.tail(step.id).length === 0) return undefined;
  const path = options.logPath(step.id, step.attempts.length);
  return options.exists?.(path) === false ? undefined : path;
}

/** What failed besides the first failure: what is one and the same in one entry. */
export function otherFailures(state: RunState, options: FailureOptions): string[] {
  const lines = failureGroups(state, options.tail).flatMap(({ steps, words }) => {
    const first = steps.find(({ id }) => id === state.firstFailure);
    const others = steps.filter(({ id }) => id !== state.firstFailure);
    if (others.length === 0) return [];
    const [only, ...more] = others;
    // What one other command itself came to is told, with its log.
    const isOwn = more.length === 0 && (first === undefined || only?.failure?.started === true);
    if (only && isOwn) return alone(only, options);
    if (first) return entry(`${namesOf(others)}: as ${first.id}`, options);
    const path = only && logOf(only, options);
    const log = path === undefined ? "" : `, log ${path}`;
    const told = `${others.length}× ${harmless(words, { color: false })}: ${namesOf(others)}${log}`;
    return entry(told, options);
  });
  return lines.length === 0 ? [] : [options.paint.bold("Failed after that:"), ...lines];
}

function alone(step: StepState, options: FailureOptions): string[] {
  const failure = step.failure ? `: ${failureWords(step.failure)}` : "";
  const where = whereOf(step);
  const path = logOf(step, options);
  const log = path === undefined ? "" : `, log ${path}`;
  return entry(`${step.id}${where}${failure}${log}`, options);
}

/** Of a step on many nodes its words name the rank and its node. */
function whereOf({ node, attempts }: StepState): string {
  const ranks = attempts.at(-1)?.ranks ?? [];
  if (ranks.length > 1) return ` on ${ranks.length} nodes`;
  return node === undefined ? "" : ` on ${node}`;
}

function entry(words: string, { width }: FailureOptions): string[] {
  return wrapHanging(words, { width, indent: 2 });
}

/** As `report` and `next` stand. */
const CAUSE_COLUMN = 10;

/** In a line of its own at the very end, where a person looks first. */
export function causeLine(state: RunState, options: FailureOptions): string[] {
  const causes = causesOf(failureGroups(state, options.tail));
  if (causes === undefined) return [];
  const width = options.width - CAUSE_COLUMN;
  const lines = wrapHanging(harmless(causes, { color: false }), { width, indent: 0 });
  return lines.map((line, at) =>
    `  ${(at === 0 ? "why" : "").padEnd(CAUSE_COLUMN - 2)}${options.paint.red(line)}`
  );
}

/** Names before the rest is counted. */
const NAMES_SHOWN = 8;

function namesOf(steps: readonly StepState[]): string {
  const shown = steps.slice(0, NAMES_SHOWN).map(({ id }) => id).join(", ");
  const left = steps.length - NAMES_SHOWN;
  return left > 0 ? `${shown} and ${left} more` : shown;
}
