/** When each attempt ran, as SVG bars on one time axis. */
import { formatDuration } from "../core/duration.ts";
import { shortNames } from "../core/short_names.ts";
import { escapeMarkup } from "./markup.ts";
import type { AttemptDocument, RunDocument, StepDocument } from "./run_document.ts";

const WIDTH = 1000;
/** Room for marks that stand over the right end. */
const MARGIN = 40;
const LABEL_CHAR = 7.2;
const ROW = 22;
const AXIS = 26;
/** A bar thinner than this would vanish. */
const THINNEST = 2;
/** More rows than fit a window are scrolled on their own. */
const MOST_ROWS = 30;
const LONGEST_LABEL = 30;
/** Lengths between marks on the axis that people read at a glance, in milliseconds. */
const MARKS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((hours) => hours * 3_600_000),
];
const MOST_MARKS = 8;

interface Scale {
  readonly lengthMs: number;
  /** Where the bars begin. */
  readonly left: number;
}

export function renderGantt(report: RunDocument): string {
  const steps = report.steps.filter((step) => step.attempts.length > 0);
  const labelOf = shortNames(report.steps.map(({ id }) => id), { width: LONGEST_LABEL });
  const scale = scaleOf(steps);
  if (!scale) return "";
  const height = AXIS + steps.length * ROW;
  const drawing = [
    `<svg class="gantt" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Timeline of the steps">`,
    axis(scale, height),
    ...steps.map((step, row) => stepRow(step, { scale, labelOf, y: AXIS + row * ROW })),
    "</svg>",
  ].join("\n");
  return steps.length > MOST_ROWS ? `<div class="scroll">${drawing}</div>` : drawing;
}

function scaleOf(steps: readonly StepDocument[]): Scale | undefined {
  if (steps.length === 0) return undefined;
  const ends = steps.flatMap(({ attempts }) =>
    attempts.map(({ afterMs, durationMs }) => afterMs + (durationMs ?? 0))
  );
  const lengthMs = ends.reduce((latest, end) => Math.max(latest, end), 1);
  const longest = Math.max(...steps.map(({ id }) => Math.min(id.length, LONGEST_LABEL)));
  return { lengthMs, left: 16 + longest * LABEL_CHAR };
}

/** Where a moment, in milliseconds after the start, lies. */
function xOf(ms: number, { lengthMs, left }: Scale): number {
  return left + (ms / lengthMs) * (WIDTH - left - MARGIN);
}

function axis(scale: Scale, height: number): string {
  const { lengthMs } = scale;
  const every = MARKS_MS.find((mark) => lengthMs / mark <= MOST_MARKS) ?? lengthMs;
  const marks: string[] = [];
  for (let at = 0; at <= lengthMs; at += every) {
    const x = round(xOf(at, scale));
    marks.push(
      `<line class="grid" x1="${x}" x2="${x}" y1="18" y2="${height}"/>` +
        `<text class="mark" x="${x}" y="13">${at === 0 ? "0" : formatDuration(at)}</text>`,
    );
  }
  return marks.join("");
}

interface RowOptions {
  readonly scale: Scale;
  readonly labelOf: (id: string) => string;
  readonly y: number;
}

function stepRow(step: StepDocument, options: RowOptions): string {
  const { scale, labelOf, y } = options;
  const label = labelOf(step.id);
  const bars = step.attempts.map((attempt) => bar(attempt, { step, ...options }));
  return `<text class="label" x="${round(scale.left - 10)}" y="${y + 15}">${
    escapeMarkup(label)
  }</text>${bars.join("")}`;
}

function bar(
  attempt: AttemptDocument,
  options: RowOptions & { readonly step: StepDocument },
): string {
  const { scale, y, step } = options;
  const start = attempt.afterMs;
  const end = attempt.durationMs === null ? scale.lengthMs : start + attempt.durationMs;
  const x = xOf(start, scale);
  const width = Math.max(THINNEST, xOf(end, scale) - x);
  const node = attempt.node === null ? "" : ` on ${attempt.node}`;
  const title = `${step.id}, attempt ${attempt.attempt}${node}: ${attempt.result} in ${
    formatDuration(end - start)
  }`;
  return `<rect class="bar ${attempt.result}" x="${round(x)}" y="${y + 4}" width="${
    round(width)
  }" height="${ROW - 8}" rx="2"><title>${escapeMarkup(title)}</title></rect>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
