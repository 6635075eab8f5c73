/** What stands on the terminal when a run is over: a pure function of its state. */
import { formatDuration } from "../core/duration.ts";
import type { JsonValue } from "../core/json.ts";
import type { RunState, StepState } from "../engine/state.ts";
import { failureBlock, type FailureOptions, otherFailures, victims } from "./failure_summary.ts";
import { harmless, oneLine } from "./harmless.ts";
import { isSilentHook, lookOf, STATUSES } from "./step_words.ts";
import { summaryTable } from "./summary_table.ts";
import { displayWidth, padEnd } from "./width.ts";

export interface SummaryOptions extends FailureOptions {
  /** Infinite where nothing is to be cut or wrapped. */
  readonly width: number;
  /** Milliseconds since the Unix epoch; used where the run was never finished. */
  readonly now: number;
  /** Where the report lies, as the reader should see it. */
  readonly folder: string;
  /** Some process is at the run now; without it a run without an end counts as stopped. */
  readonly underWay?: boolean;
}

const LONGEST_TEXT_OUTPUT = 60;
const MOST_OUTPUTS = 20;

export function renderSummary(state: RunState, options: SummaryOptions): string {
  const failed = state.firstFailure === undefined ? undefined : state.steps.get(state.firstFailure);
  const blocks = [
    summaryTable(state, options),
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

function closing(
  state: RunState,
  { paint, now, folder, underWay = false, program = "grid" }: SummaryOptions,
): string[] {
  const shown = [...state.steps.values()].filter((step) => !isSilentHook(step));
  const [steps, hooks] = [false, true].map((isHook) =>
    numbersOf(shown.filter(({ hook }) => (hook !== undefined) === isHook))
  );
  const numbers = hooks === "" ? steps : `${steps}; hooks: ${hooks}`;
  const took = formatDuration((state.finishedAt ?? now) - state.startedAt);
  if (underWay) {
    const head = `▸ ${state.pipeline} running for ${took}`;
    return [
      `${paint.bold(paint.cyan(head))} ${paint.dim(`(${numbers})`)}`,
      `  next    ${paint.bold(`${program} logs ${state.run} -f`)}`,
    ];
  }
  if (state.skipped !== undefined) {
    const head = `– ${state.pipeline} skipped: ${oneLine(state.skipped)}`;
    return [`${paint.bold(head)} ${paint.dim(`(${numbers})`)}`, `  report  ${folder}/report.html`];
  }
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

function numbersOf(steps: readonly StepState[]): string {
  return STATUSES.flatMap((status) => {
    const count = steps.filter((step) => step.status === status).length;
    return count === 0 ? [] : [`${count} ${lookOf(status).word}`];
  }).join(", ");
}
