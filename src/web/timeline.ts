/** When each attempt ran, on one axis; drawn in shares of whatever width there is. */
import { formatDuration } from "../core/duration.ts";
import type { AttemptState, RunState } from "../engine/reduce.ts";
import { type Markup, markup, NOTHING } from "./markup.ts";

/** Lengths between marks that people read at a glance, in milliseconds. */
const MARKS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((hours) => hours * 3_600_000),
];
const MOST_MARKS = 5;
/** In percent; a bar thinner than this would vanish. */
const THINNEST = 0.3;

/** @param nowMs since the run's beginning: as long is drawn what has no end */
export function timeline({ steps }: RunState, nowMs: number): Markup {
  const drawn = [...steps.values()].filter(({ kind, attempts }) =>
    kind !== "group" && attempts.length > 0
  );
  const ends = drawn.flatMap(({ attempts }) => attempts.map((attempt) => endOf(attempt, nowMs)));
  const lengthMs = ends.reduce((latest, end) => Math.max(latest, end), 1);
  const share = (ms: number) => Math.round((ms / lengthMs) * 10_000) / 100;
  const lanes = drawn.map(({ id, attempts }) => {
    const bars = attempts.map((attempt) => {
      const { attempt: number, afterMs, result, node } = attempt;
      const end = endOf(attempt, nowMs);
      const width = Math.max(THINNEST, share(end - afterMs));
      const x = Math.min(share(afterMs), 100 - width);
      const where = node === undefined ? "" : ` on ${node}`;
      return markup`
        <rect class="bar ${result}" x="${x}%" width="${width}%" y="3" height="12" rx="2">
          <title>${id}, attempt ${number}${where}: ${result}, ${
        formatDuration(
          end - afterMs,
        )
      }</title>
        </rect>
      `;
    });
    return markup`
      <div
        class="lane"><span title="${id}">${id}</span><svg aria-hidden="true">${bars}</svg></div>
    `;
  });
  // What it shows stands in the table of steps as well.
  return markup`<section id="timeline">${
    lanes.length === 0 ? NOTHING : markup`
      <h2>Timeline</h2>
      <div class="lanes" tabindex="0" role="group"
        aria-label="Timeline of the steps">${axis(lengthMs, share)}${lanes}</div>
    `
  }</section>`;
}

function axis(lengthMs: number, share: (ms: number) => number): Markup {
  const every = MARKS_MS.find((mark) => lengthMs / mark <= MOST_MARKS) ?? lengthMs;
  const marks: Markup[] = [];
  for (let at = 0; at <= lengthMs; at += every) {
    const isLast = share(at) > 90;
    marks.push(markup`
      <text x="${share(at)}%" y="12" ${isLast ? markup` class="end"` : ""}>${
      at === 0 ? "0" : formatDuration(at)
    }</text>
    `);
  }
  return markup`<div class="lane axis" aria-hidden="true"><span></span><svg>${marks}</svg></div>`;
}

function endOf({ afterMs, durationMs }: AttemptState, nowMs: number): number {
  return durationMs === undefined ? Math.max(afterMs, nowMs) : afterMs + durationMs;
}
