/** The steps of a run that is over, one row each. */
import { formatDuration } from "../core/duration.ts";
import { usageWords } from "../core/usage_words.ts";
import { shortNames } from "../core/short_names.ts";
import { isCounted, isUncalledHook } from "../engine/counted.ts";
import type { RunState, StepState } from "../engine/reduce.ts";
import { isToldByGroup, membersOf, reasonOf } from "./skipped_steps.ts";
import { namesFor } from "./step_names.ts";
import {
  counted,
  durationOf,
  failureWords,
  isBad,
  isIdle,
  lookOf,
  nodesOf,
  resultWords,
  tellerOf,
} from "./step_words.ts";
import type { Paint } from "./style.ts";
import { displayWidth, padEnd, padStart, wrap } from "./width.ts";

export interface SummaryTableOptions {
  /** Infinite where nothing is to be cut or wrapped. */
  readonly width: number;
  readonly paint: Paint;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Nobody is at the run any more, and it has no end. */
  readonly stopped?: boolean | undefined;
}

/** Of more steps than this only those are in the table that went wrong; the others are a number. */
const MANY_STEPS = 60;
const TIME_WIDTH = 7;
/** Words that find less room than this beside their step stand below it. */
const LEAST_ROOM = 24;
const BELOW = 4;

export function summaryTable(state: RunState, options: SummaryTableOptions): string[] {
  const all = [...state.steps.values()].filter((step) =>
    !isUncalledHook(step) && !isToldByGroup(step, state.steps)
  );
  const few = all.length <= MANY_STEPS;
  const steps = few
    ? all
    : all.filter(({ status }) => !isFine(status) && !(isFailed(state) && isIdle(status)));
  const columns = columnsOf(steps, { ...options, state });
  const folded = new Set<string>();
  const rows = steps.flatMap((step) => {
    const alike = few ? [] : likeIt(step, steps);
    const place = alike.indexOf(step);
    if (place < SHOWN_ALIKE) return stepRow(step, { ...options, state, columns });
    const key = `${step.group}\n${kindOf(step)}`;
    if (folded.has(key)) return [];
    folded.add(key);
    return [
      options.paint.dim(
        `  … and ${counted(alike.length - SHOWN_ALIKE, "more step")} of ${step.group} like these`,
      ),
    ];
  });
  const left = few ? 0 : all.filter((step) => isFine(step.status) && isCounted(step)).length;
  return left > 0
    ? [...rows, options.paint.dim(`  … and ${counted(left, "step")} that went well`)]
    : rows;
}

/** Cells of a matrix that failed alike and are shown; the others are a number. */
const SHOWN_ALIKE = 5;

/** Members of the step's group that failed with the same words, in order; none where it did not. */
function likeIt(step: StepState, steps: readonly StepState[]): readonly StepState[] {
  if (!isBad(step.status) || step.group === undefined || step.kind === "group") return [];
  const kind = kindOf(step);
  const alike = steps.filter((other) =>
    other.group === step.group && other.kind !== "group" && isBad(other.status) &&
    kindOf(other) === kind
  );
  return alike.length > SHOWN_ALIKE + 1 ? alike : [];
}

/** What its failure has in common with others, whichever node it happened on. */
function kindOf({ failure, status }: StepState): string {
  if (failure === undefined) return status;
  const words = failureWords(failure);
  return failure.node === undefined ? words : words.replaceAll(failure.node, "…");
}

interface Columns {
  readonly name: (id: string) => string;
  /** Empty where no step has a node. */
  readonly node: (text: string) => string;
  /** Where the words begin. */
  readonly words: number;
}

function columnsOf(
  steps: readonly StepState[],
  { width, state, stopped }: SummaryTableOptions & { readonly state: RunState },
): Columns {
  const nodes = steps.map(nodesOf);
  const shortNode = shortNames(nodes, { width: Math.max(20, width / 4), widthOf: displayWidth });
  const nodeWidth = widest(nodes.map(shortNode));
  const others = 2 + (nodeWidth > 0 ? nodeWidth + 2 : 0) + TIME_WIDTH + 4;
  // Names have a third of the line, and what no words need.
  const unused = width - others - widest(steps.map((step) => wordsOf(step, { state, stopped })));
  const shortName = namesFor(state, Math.max(Math.floor(width / 3), unused));
  const nameWidth = widest(steps.map(({ id }) => shortName(id)));
  return {
    name: (id) => padEnd(shortName(id), nameWidth),
    node: (text) => nodeWidth === 0 ? "" : `  ${padEnd(shortNode(text), nodeWidth)}`,
    words: others + nameWidth,
  };
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(displayWidth));
}

interface RowOptions extends SummaryTableOptions {
  readonly state: RunState;
  readonly columns: Columns;
}

function stepRow(step: StepState, options: RowOptions): string[] {
  const { state, paint, columns, now, width } = options;
  const look = lookOf(step.status, options);
  const ms = durationOf(step, now - state.startedAt);
  const time = padStart(ms === undefined ? "" : formatDuration(ms), TIME_WIDTH);
  const head = `${paint[look.hue](look.mark)} ${columns.name(step.id)}${
    columns.node(nodesOf(step))
  }  ${time}`;
  const room = width - columns.words;
  const whole = wordsOf(step, options);
  const isTold = isFailed(state) && isIdle(step.status);
  const words = isTold && displayWidth(whole) > room ? look.word : whole;
  const beside = wrap(words, room);
  const isBeside = widest(beside) <= room && (room >= LEAST_ROOM || beside.length === 1);
  const lines = isBeside ? beside : wrap(words, width - BELOW);
  const dressed = lines.map(paint[hueOf(step)]);
  const indent = " ".repeat(isBeside && beside.length > 1 ? columns.words : BELOW);
  const [first = "", ...more] = isBeside ? dressed : ["", ...dressed];
  return [`${head}  ${first}`.trimEnd(), ...more.map((line) => `${indent}${line}`)];
}

function wordsOf(
  step: StepState,
  { state: { steps }, stopped }: Pick<RowOptions, "state" | "stopped">,
): string {
  const { status, reason } = step;
  const members = isIdle(status) ? membersOf(step, steps) : "";
  const word = isFine(status) ? "" : `${lookOf(status, { stopped }).word}${members}`;
  const told = status === "skipped" && reason !== undefined
    ? reasonOf(step, steps)
    : resultWords(step, tellerOf(step, steps.values()));
  const words = [word, told].filter((words) => words !== "").join(": ");
  return [...(words === "" ? [] : [words]), ...usedWords(step)].join(", ");
}

/** Of the last attempt, where it was looked at more than once. */
function usedWords({ attempts }: StepState): string[] {
  const usage = attempts.at(-1)?.usage;
  return usage?.peakBytes === undefined ? [] : usageWords(usage);
}

/** What was left out and why stands below the table then. */
function isFailed({ result }: RunState): boolean {
  return result !== "succeeded";
}

function hueOf(step: StepState): "red" | "yellow" | "dim" {
  if (isBad(step.status)) return "red";
  return step.status === "allowed-failure" || step.status === "cancelled" ? "yellow" : "dim";
}

function isFine(status: StepState["status"]): boolean {
  return status === "succeeded" || status === "reused";
}
