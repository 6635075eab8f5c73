/** What an attempt's command used of its node: the figures, and how they went over time. */
import { formatDuration } from "../core/duration.ts";
import { formatSize } from "../core/size.ts";
import { usageWords } from "../core/usage_words.ts";
import type { AttemptDocument, RunDocument, UsageDocument } from "./run_document.ts";

/** Attempts whose lines are drawn: with more of them the page would be too large. */
const MOST_DRAWN = 200;
/** Of a line's drawing, stretched to the room there is. */
const WIDTH = 120;
const HEIGHT = 24;

export type IsDrawn = (attempt: AttemptDocument) => boolean;

/** Those that took longest. */
export function drawnAttempts({ steps }: RunDocument): IsDrawn {
  const all: AttemptDocument[] = [];
  for (const { attempts } of steps) {
    for (const attempt of attempts) if (attempt.usage?.samples) all.push(attempt);
  }
  if (all.length <= MOST_DRAWN) return () => true;
  const longest = all.toSorted((a, b) => (b.durationMs ?? 0) - (a.durationMs ?? 0));
  const drawn = new Set(longest.slice(0, MOST_DRAWN));
  return (attempt) => drawn.has(attempt);
}

/** Empty where nobody looked. */
export function renderUsage(attempt: AttemptDocument, isDrawn: IsDrawn): string {
  const { usage } = attempt;
  if (usage === null) return "";
  const words = usageWords(usage).join(" · ");
  const lines = usage.samples !== null && isDrawn(attempt) ? linesOf(usage.samples) : [];
  if (words === "" && lines.length === 0) return "";
  return `<div class="usage"><span>${words}</span>${lines.map(drawing).join("")}</div>`;
}

interface Line {
  readonly name: "memory" | "processors" | "GPU";
  readonly atMs: readonly number[];
  readonly values: readonly number[];
  /** What the highest place of the line stands for. */
  readonly most: number;
  readonly mostWords: string;
}

function linesOf(samples: NonNullable<UsageDocument["samples"]>): Line[] {
  const { atMs, memoryBytes, gpuLoad } = samples;
  const cores = coresOf(samples);
  const memory = Math.max(...memoryBytes);
  const busiest = Math.max(...cores);
  const loads = gpuLoad?.flatMap((load, at) => load === null ? [] : [{ at: atMs[at] ?? 0, load }]);
  const lines: Line[] = [
    {
      name: "memory",
      atMs,
      values: memoryBytes,
      most: memory,
      mostWords: `up to ${formatSize(memory)}`,
    },
    {
      name: "processors",
      atMs,
      values: cores,
      most: Math.max(1, busiest),
      mostWords: `up to ${busiest.toFixed(1)} busy`,
    },
    ...(loads === undefined || loads.length < 2 ? [] : [{
      name: "GPU" as const,
      atMs: loads.map(({ at }) => at),
      values: loads.map(({ load }) => load),
      most: 100,
      mostWords: `up to ${Math.max(...loads.map(({ load }) => load))} %`,
    }]),
  ];
  return lines.filter(({ values, most }) => values.length > 1 && most > 0);
}

/** How many processors were busy since the look before. */
function coresOf({ atMs, cpuMs }: NonNullable<UsageDocument["samples"]>): number[] {
  return cpuMs.map((cpu, at) => {
    const took = (atMs[at] ?? 0) - (atMs[at - 1] ?? 0);
    return took <= 0 ? 0 : Math.max(0, cpu - (cpuMs[at - 1] ?? 0)) / took;
  });
}

function drawing({ name, atMs, values, most, mostWords }: Line): string {
  const end = Math.max(1, atMs.at(-1) ?? 1);
  const points = values.map((value, at) => {
    const x = Math.round((atMs[at] ?? 0) / end * WIDTH);
    return `${x},${Math.round(HEIGHT - value / most * HEIGHT)}`;
  });
  const label = `${name} over ${formatDuration(end)}: ${mostWords}`;
  return `<figure><svg class="spark" viewBox="0 -1 ${WIDTH} ${
    HEIGHT + 2
  }" preserveAspectRatio="none" role="img" aria-label="${label}"><polyline points="${
    points.join(" ")
  }"/></svg><figcaption>${name}, ${mostWords}</figcaption></figure>`;
}
