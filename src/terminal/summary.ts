/** What stands on the terminal when a run is over: a pure function of its state. */
import { formatDuration } from "../core/duration.ts";
import type { JsonValue } from "../core/json.ts";
import type { Failure } from "../engine/event.ts";
import type { RunState, StepState } from "../engine/state.ts";
import { harmless, harmlessText, oneLine } from "./harmless.ts";
import {
  durationOf,
  failureWords,
  isBad,
  lookOf,
  nodesOf,
  resultWords,
  STATUSES,
} from "./step_words.ts";
import type { Paint } from "./style.ts";
import { cut, displayWidth, padEnd, padStart } from "./width.ts";

export interface SummaryOptions {
  readonly width: number;
  readonly paint: Paint;
  /** Milliseconds since the Unix epoch; used where the run was never finished. */
  readonly now: number;
  /** Where the report lies, as the reader should see it. */
  readonly folder: string;
  /** Last lines that the step's last attempt printed. */
  readonly tail: (step: string) => readonly string[];
  readonly logPath: (step: string, attempt: number) => string;
  /** Name of the command to type; default `grid`. */
  readonly program?: string;
}

/** More finished steps than this are told as a number; what went wrong is always named. */
const MANY_STEPS = 60;
const LONGEST_TEXT_OUTPUT = 60;
const MOST_OUTPUTS = 20;
const LONGEST_TAIL_LINE = 1000;

export function renderSummary(state: RunState, options: SummaryOptions): string {
  const failed = state.firstFailure === undefined ? undefined : state.steps.get(state.firstFailure);
  const blocks = [
    stepTable(state, options),
    outputLines(state, options),
    failed ? failureBlock(state, failed, options) : [],
    otherFailures(state, options),
    victims(state, options),
    state.warnings.map((warning) => options.paint.yellow(`warning: ${oneLine(warning)}`)),
    closing(state, options),
  ];
  return blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n") +
    "\n";
}

function stepTable(state: RunState, options: SummaryOptions): string[] {
  const all = [...state.steps.values()].filter((step) => !isSilentHook(step));
  const failed = state.result !== "succeeded";
  const few = all.length <= MANY_STEPS;
  const steps = few ? all : all.filter((step) => !isFine(step.status));
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(displayWidth));
  const idWidth = Math.min(widest(steps.map((step) => step.id)), Math.floor(options.width / 3));
  const nodeWidth = Math.min(widest(steps.map(nodesOf)), 20);
  const rows = steps.map((step) => stepRow(step, { ...options, failed, idWidth, nodeWidth }));
  const left = all.length - steps.length;
  return left > 0 ? [...rows, options.paint.dim(`  … and ${left} steps that went well`)] : rows;
}

interface RowOptions extends SummaryOptions {
  readonly failed: boolean;
  readonly idWidth: number;
  readonly nodeWidth: number;
}

function stepRow(step: StepState, options: RowOptions): string {
  const { paint, idWidth, nodeWidth } = options;
  const look = lookOf(step.status);
  const ms = durationOf(step, options.now);
  const time = padStart(ms === undefined ? "" : formatDuration(ms), 7);
  const id = padEnd(cut(step.id, idWidth), idWidth);
  const node = nodeWidth > 0 ? `  ${padEnd(cut(nodesOf(step), nodeWidth), nodeWidth)}` : "";
  // The reasons of what was left out stand apart where there is a failure to tell first.
  const told = options.failed && isIdle(step.status) ? "" : resultWords(step);
  const words = [isFine(step.status) ? "" : look.word, told].filter((word) => word !== "");
  const room = options.width - 2 - idWidth - displayWidth(node) - 11;
  const detail = cut(words.join(": "), Math.max(0, room));
  return `${paint[look.hue](look.mark)} ${id}${node}  ${time}  ${paint[detailHue(step)](detail)}`
    .trimEnd();
}

function detailHue(step: StepState): "red" | "yellow" | "dim" {
  if (isBad(step.status)) return "red";
  return step.status === "allowed-failure" || step.status === "cancelled" ? "yellow" : "dim";
}

/** Numbers, truths and short words that steps computed; not where they were computed. */
function outputLines(state: RunState, { paint }: SummaryOptions): string[] {
  const found = [...state.steps.values()]
    .filter((step) => step.kind !== "select-node" && step.kind !== "sync")
    .flatMap((step) =>
      Object.entries(step.outputs).flatMap(([name, value]) => {
        const text = scalarText(value);
        return text === undefined ? [] : [{ name: `${step.id}.${name}`, text }];
      })
    );
  const shown = found.slice(0, MOST_OUTPUTS);
  const width = Math.max(0, ...shown.map(({ name }) => displayWidth(name)));
  const lines = shown.map(({ name, text }) => `  ${padEnd(name, width)}  ${paint.bold(text)}`);
  const left = found.length - shown.length;
  return left > 0 ? [...lines, paint.dim(`  … and ${left} more in the report`)] : lines;
}

function scalarText(value: JsonValue): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return undefined;
  const text = harmless(value, { color: false });
  return text.includes("\n") || text.length > LONGEST_TEXT_OUTPUT ? undefined : text;
}

/** The root cause: what, where, its last words, its log, and what to type next. */
function failureBlock(state: RunState, step: StepState, options: SummaryOptions): string[] {
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

function otherFailures(state: RunState, options: SummaryOptions): string[] {
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
function victims(state: RunState, { paint }: SummaryOptions): string[] {
  if (state.result === "succeeded") return [];
  const idle = [...state.steps.values()].filter((step) =>
    isIdle(step.status) && !isSilentHook(step)
  );
  if (idle.length === 0) return [];
  const lines = idle.slice(0, MANY_STEPS).map((step) => `  ${step.id}: ${idleReason(step)}`);
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

function closing(
  state: RunState,
  { paint, now, folder, program = "grid" }: SummaryOptions,
): string[] {
  const shown = [...state.steps.values()].filter((step) => !isSilentHook(step));
  const numbers = STATUSES.flatMap((status) => {
    const count = shown.filter((step) => step.status === status).length;
    return count === 0 ? [] : [`${count} ${lookOf(status).word}`];
  }).join(", ");
  const took = formatDuration((state.finishedAt ?? now) - state.startedAt);
  const result = state.result === "running" ? "stopped" : lookOf(state.result).word;
  const fine = state.result === "succeeded";
  const head = `${fine ? "✔" : "✖"} ${state.pipeline} ${result} in ${took}`;
  return [
    `${paint.bold(fine ? paint.green(head) : paint.red(head))} ${paint.dim(`(${numbers})`)}`,
    `  report  ${folder}/report.html`,
    ...(fine || state.firstFailure !== undefined || state.file === ""
      ? []
      : [`  next    ${paint.bold(`${program} resume ${state.run}`)}`]),
  ];
}

function isFine(status: StepState["status"]): boolean {
  return status === "succeeded" || status === "reused";
}

function isIdle(status: StepState["status"]): boolean {
  return status === "skipped" || status === "cancelled" || status === "pending";
}

/** A hook whose moment never came is not worth a line. */
function isSilentHook(step: StepState): boolean {
  return step.hook !== undefined && (step.status === "skipped" || step.status === "pending");
}
