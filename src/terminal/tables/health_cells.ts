/** Cells of `grid health`: bars, folded GPUs, the last looks. */
import { formatSize } from "../../core/size.ts";

/** What a terminal can draw: one that is dumb gets letters of every code page. */
export interface Glyphs {
  /** Of a bar: full, half, empty. */
  readonly bar: readonly [full: string, half: string, empty: string];
  /** From idle to busy. */
  readonly levels: readonly string[];
  readonly broken: string;
  readonly times: string;
  readonly between: string;
  readonly to: string;
  readonly none: string;
}

const DRAWN: Glyphs = {
  bar: ["█", "▌", "░"],
  levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇"],
  broken: "×",
  times: "×",
  between: " · ",
  to: "–",
  none: "–",
};
const TYPED: Glyphs = {
  bar: ["#", "-", "."],
  levels: ["_", ".", ":", "-", "=", "+", "#"],
  broken: "x",
  times: "x",
  between: ", ",
  to: "-",
  none: "-",
};

export const UNKNOWN = "?";

export function glyphs(isDumb: boolean): Glyphs {
  return isDumb ? TYPED : DRAWN;
}

/** `██▌░░  48%`; without figures `?`. */
export function barCell(
  percent: number | undefined,
  { bar: [full, half, empty] }: Glyphs,
  width: number,
): string {
  if (percent === undefined) return UNKNOWN;
  const halves = Math.round(Math.min(100, Math.max(0, percent)) / 100 * 2 * width);
  const drawn = full.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? half : "");
  return `${drawn.padEnd(width, empty)} ${`${percent.toFixed(0)}%`.padStart(4)}`;
}

export interface FoldedGpus {
  readonly model: string;
  readonly memoryBytes: number | undefined;
  readonly total: number;
  readonly free: number;
  readonly sick: number;
  readonly unified: boolean;
}

/** `8× H100 80G · 5 free`. */
export function gpuGroupWords(group: FoldedGpus, { times, between }: Glyphs): string {
  const { model, memoryBytes, total, free, sick, unified } = group;
  const size = memoryBytes === undefined ? "" : ` ${gigabytes(memoryBytes)}`;
  const notes = [`${free} free`, ...(sick > 0 ? [`${sick} sick`] : [])];
  return `${total}${times} ${model}${size}${unified ? " unified" : ""}${between}${
    notes.join(between)
  }`;
}

/** As makers call it: 81,559 MiB are 80G, and 24,564 MiB are 24G. */
export function gigabytes(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib < 1 ? `${Math.round(1024 * gib)}M` : `${Math.round(gib)}G`;
}

export interface ShownLook {
  readonly score: number | undefined;
}

/** The worst that default weights give. */
const WORST = 400;

/** `▁▁▂▇×▁`, the latest last. */
export function looksCell(
  looks: readonly ShownLook[],
  { levels, broken }: Glyphs,
  count = 8,
): string {
  return looks.slice(-count).map(({ score }) =>
    score === undefined ? broken : levelOf(score / WORST, levels)
  ).join("");
}

export interface ShownCard {
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly sick: string | undefined;
}

/** One sign per card for the memory in use. */
export function cardsCell(cards: readonly ShownCard[], { levels, broken }: Glyphs): string {
  return cards.map(({ sick, memoryUsedBytes: used, memoryTotalBytes: total }) => {
    if (sick !== undefined) return broken;
    return used === undefined || !total ? UNKNOWN : levelOf(used / total, levels);
  }).join("");
}

function levelOf(share: number, levels: readonly string[]): string {
  const at = Math.round(Math.min(1, Math.max(0, share)) * (levels.length - 1));
  return levels[at] ?? UNKNOWN;
}

/** `0–2,5`. */
export function rangeWords(numbers: readonly number[], { to }: Pick<Glyphs, "to">): string {
  const ranges: [number, number][] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, until]) =>
    from === until ? `${from}` : until === from + 1 ? `${from},${until}` : `${from}${to}${until}`
  ).join(",");
}

/** Whole numbers from ten on: a table is read at a glance. */
export function shortSize(bytes: number): string {
  const [number = "", unit = ""] = formatSize(bytes).split(" ");
  const value = Number(number);
  return `${value >= 10 ? Math.round(value) : number}${
    unit === "B" ? " B" : unit.replace("iB", "")
  }`;
}

/** `4s`, `3m`, `2h`, `5d`: the largest unit alone is what a glance wants. */
export function ageWords(ms: number): string {
  if (ms < 1000) return "now";
  const [unit, size] = AGES.find(([, size]) => ms >= size) ?? ["s", 1000];
  return `${Math.floor(ms / size)}${unit}`;
}

const AGES: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
];
