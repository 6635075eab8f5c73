/** Why the run took as long as it did: one sentence, and the steps that nothing could overtake. */
import { formatDuration } from "../core/duration.ts";
import { type AnchorOf, stepLink } from "./html_parts.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { RunDocument } from "./run_document.ts";
import type { PhaseKind, TimedStep, Timing } from "./timing.ts";

/** Parts of the way that the sentence names. */
const MOST_PARTS = 4;
/** Of the whole; what is less is not why. */
const LEAST_SHARE = 0.02;
/** Of a part; steps that had less of it are not counted. */
const LEAST_PART = 0.05;
/** Steps of the way that are listed: those that took longest. */
const MOST_STEPS = 8;

interface Part {
  readonly kind: PhaseKind;
  readonly ms: number;
  /** What took longest of it. */
  readonly step: string;
  /** How many steps it is spread over. */
  readonly steps: number;
}

/** `Of 1m 06s, 1m 03s went into running train and 1.5s into waiting to try it again.` */
export function slowSentence(report: RunDocument, timing: Timing): string {
  const parts = partsOf(timing.path).filter(({ ms }) => ms >= timing.lengthMs * LEAST_SHARE);
  if (parts.length === 0) return "";
  const told = parts[0]?.step;
  const [first = "", ...others] = parts.slice(0, MOST_PARTS).map((part, at) =>
    `${formatDuration(part.ms)} ${at === 0 ? "went " : ""}into ${
      wordsOf(part, at === 0 ? undefined : told)
    }`
  );
  const rest = commas(others);
  const so = report.durationMs === null ? " so far" : "";
  return `Of ${formatDuration(timing.lengthMs)}${so}, ${first}${rest}.`;
}

function commas(words: readonly string[]): string {
  return words.map((word, at) => `${at === words.length - 1 ? " and " : ", "}${word}`).join("");
}

const WORDS: Readonly<Record<PhaseKind, (what: string) => string>> = {
  queue: (what) => `the queue before ${what}`,
  node: (what) => `finding a node for ${what}`,
  sync: (what) => `syncing ${what}`,
  fetch: (what) => `fetching ${what}`,
  run: (what) => `running ${what}`,
  retry: (what) => `waiting to try ${what} again`,
};

function wordsOf({ kind, step, steps }: Part, told: string | undefined): string {
  const others = steps - 1;
  const more = others > 0 ? ` and ${others} ${others > 1 ? "others" : "other"}` : "";
  return WORDS[kind](`${step === told && others === 0 ? "it" : step}${more}`);
}

function partsOf(path: readonly TimedStep[]): Part[] {
  const parts = new Map<PhaseKind, Map<string, number>>();
  for (const { step, phases } of path) {
    for (const { kind, from, to } of phases) {
      const known = parts.get(kind) ?? new Map<string, number>();
      parts.set(kind, known.set(step.id, (known.get(step.id) ?? 0) + to - from));
    }
  }
  return [...parts].map(([kind, steps]) => {
    const [[step] = [""]] = [...steps].toSorted(([, a], [, b]) => b - a);
    const ms = [...steps.values()].reduce((sum, one) => sum + one, 0);
    const told = [...steps.values()].filter((one) => one >= ms * LEAST_PART);
    return { kind, ms, step, steps: Math.max(1, told.length) };
  }).toSorted((a, b) => b.ms - a.ms);
}

export interface SlowOptions {
  readonly timing: Timing;
  readonly anchorOf: AnchorOf;
}

/** Empty where there is nothing to explain: a single step that just ran. */
export function renderSlow(report: RunDocument, { timing, anchorOf }: SlowOptions): string {
  const sentence = slowSentence(report, timing);
  const { path, lengthMs } = timing;
  const [only, ...others] = path;
  if (sentence === "" || (others.length === 0 && (only?.phases.length ?? 0) < 2)) return "";
  const lengths = new Map(path.map((one) => [one, lengthOf(one)]));
  const ordered = [...lengths].toSorted(([, a], [, b]) => b - a).map(([one]) => one);
  const longest = new Set(ordered.slice(0, MOST_STEPS));
  const least = lengthMs * LEAST_SHARE / 4;
  const items = path.filter((one) => longest.has(one)).map((timed) => {
    const [longest, ...rest] = timed.phases.toSorted((a, b) => b.to - b.from - (a.to - a.from));
    const told = new Set([longest, ...rest.filter(({ from, to }) => to - from >= least)]);
    const parts = timed.phases.filter((phase) => told.has(phase))
      .map(({ kind, from, to }) => `${SHORT_WORDS[kind]} ${formatDuration(to - from)}`);
    const share = Math.round(lengthOf(timed) / lengthMs * 100);
    return `<li><b>${stepLink(timed.step.id, anchorOf)}</b> <span class="share">${
      share === 0 ? "under 1" : share
    } %</span> ${parts.join(", ")}</li>`;
  });
  const left = path.length - items.length;
  const more = left > 0 ? `<p class="soft">and ${left} shorter ones between them</p>` : "";
  const lead = `<p class="lead">${text(sentence)}</p>`;
  if (path.length < 2) return lead;
  return `${lead}
<details class="way"><summary>the way that took longest: ${path.length} steps</summary><ol>${
    items.join("")
  }</ol>${more}</details>`;
}

function lengthOf({ phases }: TimedStep): number {
  return phases.reduce((sum, { from, to }) => sum + to - from, 0);
}

export const SHORT_WORDS: Readonly<Record<PhaseKind, string>> = {
  queue: "queue",
  node: "node wait",
  sync: "sync",
  fetch: "fetch",
  run: "run",
  retry: "retry wait",
};
