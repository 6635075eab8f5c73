/** When each attempt ran, as SVG bars on one time axis. */
import { formatDuration } from "../core/duration.ts";
import { escapeMarkup } from "./markup.ts";
import type { AttemptDocument, RunDocument, StepDocument } from "./run_document.ts";

const WIDTH = 1000;
const LABELS = 220;
const ROW = 22;
const AXIS = 26;
/** A bar thinner than this would vanish. */
const THINNEST = 2;
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
  readonly startMs: number;
  readonly lengthMs: number;
}

export function renderGantt(report: RunDocument): string {
  const steps = report.steps.filter((step) => step.attempts.length > 0);
  const scale = scaleOf(report, steps);
  if (!scale) return "";
  const height = AXIS + steps.length * ROW;
  return [
    `<svg class="gantt" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Timeline of the steps">`,
    axis(scale, height),
    ...steps.map((step, row) => stepRow(step, { scale, y: AXIS + row * ROW })),
    "</svg>",
  ].join("\n");
}

function scaleOf(report: RunDocument, steps: readonly StepDocument[]): Scale | undefined {
  if (steps.length === 0) return undefined;
  const startMs = Date.parse(report.startedAt);
  const ends = steps.flatMap((step) =>
    step.attempts.map((attempt) => Date.parse(attempt.finishedAt ?? attempt.startedAt))
  );
  const endMs = ends.reduce((latest, end) => Math.max(latest, end), startMs);
  return { startMs, lengthMs: Math.max(1, endMs - startMs) };
}

function axis({ lengthMs }: Scale, height: number): string {
  const every = MARKS_MS.find((mark) => lengthMs / mark <= MOST_MARKS) ?? lengthMs;
  const marks: string[] = [];
  for (let at = 0; at <= lengthMs; at += every) {
    const x = round(LABELS + (at / lengthMs) * (WIDTH - LABELS - 40));
    marks.push(
      `<line class="grid" x1="${x}" x2="${x}" y1="18" y2="${height}"/>` +
        `<text class="mark" x="${x}" y="13">${at === 0 ? "0" : formatDuration(at)}</text>`,
    );
  }
  return marks.join("");
}

interface RowOptions {
  readonly scale: Scale;
  readonly y: number;
}

function stepRow(step: StepDocument, { scale, y }: RowOptions): string {
  const label = step.id.length > LONGEST_LABEL
    ? `${step.id.slice(0, LONGEST_LABEL - 1)}…`
    : step.id;
  const bars = step.attempts.map((attempt) => bar(attempt, { step, scale, y }));
  return `<text class="label" x="${LABELS - 10}" y="${y + 15}">${escapeMarkup(label)}</text>${
    bars.join("")
  }`;
}

function bar(
  attempt: AttemptDocument,
  options: RowOptions & { readonly step: StepDocument },
): string {
  const { scale, y, step } = options;
  const room = WIDTH - LABELS - 40;
  const start = Date.parse(attempt.startedAt);
  const end = attempt.finishedAt === null
    ? scale.startMs + scale.lengthMs
    : Date.parse(attempt.finishedAt);
  const x = LABELS + ((start - scale.startMs) / scale.lengthMs) * room;
  const width = Math.max(THINNEST, ((end - start) / scale.lengthMs) * room);
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
