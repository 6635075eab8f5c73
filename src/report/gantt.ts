/** When each step waited and worked, as bars on one time axis; widths are shares, so that it fits any page. */
import { formatDuration } from "../core/duration.ts";
import { SHORT_WORDS } from "./html_slow.ts";
import type { StepDocument } from "./run_document.ts";
import type { Phase, PhaseKind, Timing } from "./timing.ts";

/** Per cent of the whole; a thinner bar would vanish. */
const THINNEST = 0.4;
/** Per cent; a shorter wait is left out. */
const LEAST_WAIT = 0.3;
/** Lengths between marks on the axis that people read at a glance, in milliseconds. */
const MARKS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((hours) => hours * 3_600_000),
];
const MOST_MARKS = 6;

export interface Bars {
  /** Bars of one step. */
  of(step: StepDocument): string;
  /** Which colour is what; only of what was drawn so far. */
  legend(): string;
}

export function drawBars(timing: Timing): Bars {
  const seen = new Set<ShownKind>();
  return {
    of: (step) => {
      const bars = step.kind === "group" ? span(step, timing) : barsOf(step, { timing, seen });
      return `<svg class="bars" aria-hidden="true">${bars}</svg>`;
    },
    legend: () => {
      const kinds = (Object.keys(WORDS) as ShownKind[]).filter((kind) => seen.has(kind));
      const items = kinds.map((kind) => `<span><i class="key ${kind}"></i>${WORDS[kind]}</span>`);
      return items.length === 0 ? "" : `<p class="legend">${items.join("")}</p>`;
    },
  };
}

/** Work that is under way has a colour of its own. */
type ShownKind = PhaseKind | "running";

const WORDS: Readonly<Record<ShownKind, string>> = { ...SHORT_WORDS, running: "running now" };

interface Drawing {
  readonly timing: Timing;
  readonly seen: Set<ShownKind>;
}

function barsOf(step: StepDocument, { timing, seen }: Drawing): string {
  let bars = "";
  for (const phase of timing.phasesOf(step)) {
    if (!isDrawn(phase, timing)) continue;
    seen.add(phase.kind === "run" && phase.result === "running" ? "running" : phase.kind);
    bars += bar(phase, { step, timing });
  }
  return bars;
}

/** A group lasts as long as its members; its bar is a thin one. */
function span({ afterMs, durationMs }: StepDocument, { lengthMs }: Timing): string {
  if (afterMs === null) return "";
  const width = Math.max(THINNEST, (durationMs ?? lengthMs - afterMs) / lengthMs * 100);
  const x = Math.min(100 - width, afterMs / lengthMs * 100);
  return `<rect class="span" x="${round(x)}%" width="${round(width)}%" y="4" height="3"/>`;
}

function isWork(kind: PhaseKind): boolean {
  return kind === "run" || kind === "sync" || kind === "fetch";
}

function isDrawn({ kind, from, to }: Phase, { lengthMs }: Timing): boolean {
  return isWork(kind) || (to - from) / lengthMs * 100 >= LEAST_WAIT;
}

interface BarOptions {
  readonly step: StepDocument;
  readonly timing: Timing;
}

function bar({ kind, from, to, result }: Phase, { step, timing }: BarOptions): string {
  const { lengthMs } = timing;
  const width = Math.max(THINNEST, (to - from) / lengthMs * 100);
  const x = Math.min(100 - width, from / lengthMs * 100);
  // A failure that is allowed is none of the run's.
  const shown = step.state === "allowed-failure" && result !== "succeeded" ? step.state : result;
  const classes = isWork(kind) && result !== null ? `${kind} ${shown}` : kind;
  return `<rect class="${classes}" x="${round(x)}%" width="${round(width)}%" height="100%"/>`;
}

export function renderAxis({ lengthMs }: Timing): string {
  const every = MARKS_MS.find((mark) => lengthMs / mark <= MOST_MARKS) ?? lengthMs;
  const marks: string[] = [];
  for (let at = 0; at <= lengthMs; at += every) {
    const share = at / lengthMs * 100;
    const end = share > 92 ? ' class="last"' : at === 0 ? ' class="first"' : "";
    marks.push(
      `<text x="${round(share)}%" y="11"${end}>${at === 0 ? "0" : formatDuration(at)}</text>`,
    );
  }
  return `<svg class="axis" aria-hidden="true">${marks.join("")}</svg>`;
}

/** Shares of a whole, by thousandths: text of numbers is not free, and a page has thousands of them. */
const SHARES = Array.from({ length: 1001 }, (_, thousandth) => String(thousandth / 10));

/** Per cent; a tenth is less than what can be seen. */
function round(value: number): string {
  return SHARES[Math.round(value * 10)] ?? String(Math.round(value * 10) / 10);
}
