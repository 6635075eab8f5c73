/** `grid doctor`: what was found at each node, and the repair below what wants one. */
import { oneLine } from "./harmless.ts";
import type { Paint } from "./style.ts";
import { padEnd, wrapHanging } from "./width.ts";

export interface ShownFinding {
  readonly about: string;
  readonly level: "ok" | "note" | "bad";
  readonly words: string;
  readonly repair: string | undefined;
}

export interface FindingsOptions {
  readonly paint: Paint;
  readonly width: number;
}

const SIGNS = { ok: "✔", note: "•", bad: "✖" } as const;
/** Of the longest word for what is looked at. */
const ABOUT = 11;
const INDENT = 2 + 2 + ABOUT + 1;

export function renderDoctor(
  node: string,
  findings: readonly ShownFinding[],
  { paint, width }: FindingsOptions,
): string {
  const hues = { ok: paint.green, note: paint.yellow, bad: paint.red };
  const lines = findings.flatMap(({ about, level, words, repair }) => {
    const head = `  ${hues[level](SIGNS[level])} ${padEnd(about, ABOUT)} `;
    const [first = "", ...rest] = wrapHanging(oneLine(words), { width, indent: INDENT });
    const cure = repair === undefined
      ? []
      : wrapHanging(`repair: ${oneLine(repair)}`, { width, indent: INDENT });
    return [head + first.slice(INDENT), ...rest, ...cure.map((line) => paint.dim(line))];
  });
  return [paint.bold(oneLine(node)), ...lines].map((line) => `${line}\n`).join("");
}
