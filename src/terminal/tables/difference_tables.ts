/** `grid diff`: two runs beside each other. */
import { formatDuration } from "../../core/duration.ts";
import type { JsonValue } from "../../core/json.ts";
import type { Pair, RunDifference, StepFigures } from "../../engine/run_difference.ts";
import { oneLine } from "../harmless.ts";
import { createPaint, type Paint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable, type TableRow } from "./table.ts";

/** What stands above the columns of a run. */
export interface ComparedRun {
  readonly run: string;
  readonly pipeline: string;
  /** `stopped` for a run whose runner was killed. */
  readonly result: string;
  readonly durationMs: number | undefined;
}

export interface DifferenceOptions {
  readonly runs: readonly [one: ComparedRun, other: ComparedRun];
  readonly color: boolean;
  readonly width: number;
}

const NONE = "none";

export function renderDifference(difference: RunDifference, options: DifferenceOptions): string {
  const paint = createPaint(options.color);
  const { runs: [one, other] } = options;
  const { inputs, outputs, steps, commit, sameDefinition } = difference;
  const columns = (title: string): readonly Column[] => [
    { title, shrinkTo: 10, fit: "names" },
    { title: one.run, shrinkTo: 12, fit: "words" },
    { title: other.run, shrinkTo: 12, fit: "words" },
  ];
  const table = (title: string, rows: readonly (readonly string[])[]) =>
    rows.length === 0 ? [] : [
      renderTable(columns(title), rows.map((cells): TableRow => ({ cells })), {
        width: options.width,
        paint,
      }),
    ];
  const whole = [
    ["pipeline", oneLine(one.pipeline), oneLine(other.pipeline)],
    ["result", one.result, other.result],
    ["took", lengthOf(one.durationMs), withChange(one.durationMs, other.durationMs, paint)],
    ...(commit.one === undefined && commit.other === undefined
      ? []
      : [["commit", commit.one ?? NONE, commit.other ?? NONE]]),
  ];
  return [
    ...table("RUN", whole),
    ...(sameDefinition === false ? ["the pipeline said something else\n"] : []),
    ...table("INPUT", valueRows(inputs)),
    ...table("RESULT", valueRows(outputs)),
    ...table("STEP", steps.filter(isWorthTelling).map((step) => stepCells(step, paint))),
    ...equalWords(difference),
  ].join("\n");
}

function valueRows(pairs: readonly Pair<JsonValue>[]): string[][] {
  return pairs.filter(({ differs }) => differs)
    .map(({ name, one, other }) => [oneLine(name), valueOf(one), valueOf(other)]);
}

function valueOf(value: JsonValue | undefined): string {
  if (value === undefined) return NONE;
  return oneLine(typeof value === "string" ? value : JSON.stringify(value));
}

/** Ended otherwise, or took another time by more than chance. */
function isWorthTelling({ one, other, differs }: Pair<StepFigures>): boolean {
  return differs || changeOf(one?.durationMs, other?.durationMs) !== undefined;
}

function stepCells({ name, one, other }: Pair<StepFigures>, paint: Paint): string[] {
  return [oneLine(name), figures(one), figures(other, one, paint)];
}

function figures(step: StepFigures | undefined, before?: StepFigures, paint?: Paint): string {
  if (step === undefined) return NONE;
  const { status, durationMs, node, attempts } = step;
  const took = paint === undefined
    ? lengthOf(durationMs)
    : withChange(before?.durationMs, durationMs, paint);
  const words = [status, took, ...(node === undefined ? [] : [`on ${oneLine(node)}`])];
  return `${words.filter((word) => word !== "").join(" ")}${
    attempts > 1 ? `, ${attempts} attempts` : ""
  }`;
}

function lengthOf(ms: number | undefined): string {
  return ms === undefined ? "" : formatDuration(ms);
}

function withChange(before: number | undefined, after: number | undefined, paint: Paint): string {
  const change = changeOf(before, after);
  if (change === undefined) return lengthOf(after);
  const words = `${change > 0 ? "+" : "-"}${formatDuration(Math.abs(change))}`;
  return `${lengthOf(after)} (${change > 0 ? paint.red(words) : paint.green(words)})`;
}

/** Milliseconds; less than a tenth, or than a second, is chance. */
function changeOf(before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined || after === undefined) return undefined;
  return Math.abs(after - before) < Math.max(1000, before / 10) ? undefined : after - before;
}

function equalWords({ inputs, outputs, steps }: RunDifference): string[] {
  const equal = [
    [inputs.filter(({ differs }) => !differs).length, "input"] as const,
    [outputs.filter(({ differs }) => !differs).length, "result"] as const,
    [steps.filter((step) => !isWorthTelling(step)).length, "step"] as const,
  ].filter(([count]) => count > 0).map(([count, name]) =>
    `${count} ${name}${count > 1 ? "s" : ""}`
  );
  return equal.length === 0 ? [] : [`equal: ${equal.join(", ")}\n`];
}
