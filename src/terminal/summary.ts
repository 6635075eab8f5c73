/** What stands on the terminal when a run is over: a pure function of its state. */
import { formatDuration } from "../core/duration.ts";
import { ExactNumber } from "../core/exact_number.ts";
import type { JsonValue } from "../core/json.ts";
import { formatCount, formatSize } from "../core/size.ts";
import { isCounted } from "../engine/counted.ts";
import type { OutputFile } from "../engine/event.ts";
import type { RunState, StepState } from "../engine/reduce.ts";
import { causeLine, failureBlock, type FailureOptions, otherFailures } from "./failure_summary.ts";
import { harmless, oneLine } from "./harmless.ts";
import { skippedSteps } from "./skipped_steps.ts";
import { lookOf, STATUSES } from "./step_words.ts";
import { summaryTable } from "./summary_table.ts";
import { displayWidth, padEnd, wrapHanging } from "./width.ts";

export interface SummaryOptions extends FailureOptions {
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
  const stopped = state.result === "running" && options.underWay !== true;
  const failed = state.firstFailure === undefined ? undefined : state.steps.get(state.firstFailure);
  // Of a run that did nothing, its steps have nothing to tell but the reason of all.
  const isSkipped = state.skipped !== undefined;
  const blocks = [
    isSkipped ? [] : summaryTable(state, { ...options, stopped }),
    outputLines(state, options),
    failed ? failureBlock(state, failed, options) : [],
    otherFailures(state, options),
    isSkipped ? [] : skippedSteps(state, options),
    warningLines(state, options),
    closing(state, options),
  ];
  return blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n") +
    "\n";
}

/** Numbers, truths and short words that steps computed; not where they were computed. */
function outputLines(state: RunState, { paint, folder }: SummaryOptions): string[] {
  const found = [...state.steps.values()]
    .filter((step) => !["select-node", "sync", "data"].includes(step.kind))
    .flatMap((step) => [
      ...Object.entries(step.outputs).flatMap(([name, value]) => {
        const text = scalarText(value);
        const isNews = text !== undefined && !(step.kind === "ray-batch" && name === "file");
        return isNews ? [{ name: `${step.id}.${name}`, text }] : [];
      }),
      ...Object.entries(step.filed ?? {}).map(([name, file]) => ({
        name: `${step.id}.${name}`,
        text: filedText(file, folder),
      })),
    ]);
  const shown = found.slice(0, MOST_OUTPUTS);
  const width = Math.max(0, ...shown.map(({ name }) => displayWidth(name)));
  const lines = shown.map(({ name, text }) => `  ${padEnd(name, width)}  ${paint.bold(text)}`);
  const left = found.length - shown.length;
  return left > 0 ? [...lines, paint.dim(`  … and ${left} more in the report`)] : lines;
}

function warningLines({ warnings }: RunState, { width, paint }: SummaryOptions): string[] {
  return warnings
    .flatMap((warning) => wrapHanging(`warning: ${oneLine(warning)}`, { width, indent: 0 }))
    .map((line) => paint.yellow(line));
}

/** Folders of runs lie side by side. */
function filedText({ run, file, items, bytes }: OutputFile, folder: string): string {
  const place = `${folder.replace(/[^/]*$/, run)}/results/${file}`;
  return `${formatCount(items)} values, ${formatSize(bytes)}, in ${place}`;
}

function scalarText(value: JsonValue): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value instanceof ExactNumber) return value.text;
  if (typeof value !== "string") return undefined;
  const text = harmless(value, { color: false });
  return text.includes("\n") || text.length > LONGEST_TEXT_OUTPUT ? undefined : text;
}

function closing(
  state: RunState,
  options: SummaryOptions,
): string[] {
  const { paint, now, underWay = false, program = "grid" } = options;
  const stopped = state.result === "running" && !underWay;
  const steps = [...state.steps.values()].filter(isCounted);
  const numbers = numbersOf(steps, { stopped });
  const took = formatDuration(state.durationMs ?? Math.max(0, now - state.startedAt));
  if (underWay) {
    const head = `▸ ${state.pipeline} running for ${took}`;
    return [
      ...headlines(head, { ...options, numbers, dress: paint.cyan }),
      `  next    ${paint.bold(`${program} logs ${state.run} -f`)}`,
    ];
  }
  if (state.skipped !== undefined) {
    const head = `– ${state.pipeline} skipped: ${oneLine(state.skipped)}`;
    return [`${paint.bold(head)} ${paint.dim(`(${numbers})`)}`, ...reportLine(options)];
  }
  const result = stopped ? "stopped" : lookOf(state.result).word;
  const fine = state.result === "succeeded";
  const head = `${fine ? "✔" : "✖"} ${state.pipeline} ${result} in ${took}`;
  return [
    ...headlines(head, { ...options, numbers, dress: fine ? paint.green : paint.red }),
    ...causeLine(state, options),
    ...reportLine(options),
    ...(stopped && steps.some(({ status, node }) => status === "running" && node !== undefined)
      ? [`  jobs    what its runner left on nodes: ${paint.bold(`${program} ps`)}`]
      : []),
    ...(fine || state.firstFailure !== undefined || state.file === ""
      ? []
      : [`  next    ${paint.bold(`${program} resume ${state.run}`)}`]),
  ];
}

/** None where the disk had no room for it. */
function reportLine({ folder, exists = () => true }: SummaryOptions): string[] {
  const path = `${folder}/report.html`;
  return exists(path) ? [`  report  ${path}`] : [];
}

/** `3 succeeded, 1 failed; hooks: 1 succeeded`. */
function numbersOf(steps: readonly StepState[], options: { readonly stopped: boolean }): string {
  const [own, hooks] = [false, true].map((isHook) =>
    countsOf(steps.filter(({ hook }) => (hook !== undefined) === isHook), options)
  );
  return hooks === "" ? `${own}` : `${own}; hooks: ${hooks}`;
}

function countsOf(
  steps: readonly StepState[],
  options: { readonly stopped: boolean },
): string {
  return STATUSES.flatMap((status) => {
    const count = steps.filter((step) => step.status === status).length;
    return count === 0 ? [] : [`${count} ${lookOf(status, options).word}`];
  }).join(", ");
}

interface HeadlineOptions extends SummaryOptions {
  readonly numbers: string;
  readonly dress: (text: string) => string;
}

/** How it ended, and with how many steps of what sort: in one line where there is room. */
function headlines(head: string, { width, paint, numbers, dress }: HeadlineOptions): string[] {
  const shown = paint.bold(dress(head));
  const counts = `(${numbers})`;
  if (displayWidth(head) + 1 + displayWidth(counts) <= width) {
    return [`${shown} ${paint.dim(counts)}`];
  }
  return [shown, ...wrapHanging(counts, { width, indent: 2 }).map((line) => paint.dim(line))];
}
