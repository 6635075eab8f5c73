/** What `grid plan --check` found out: what is well in short, what is not in full. */
import { createPaint } from "./style.ts";

export interface FindingRow {
  readonly about: string;
  readonly ok: boolean;
  readonly words: string;
}

export function renderFindings(
  findings: readonly FindingRow[],
  options: { readonly color: boolean },
): string {
  const paint = createPaint(options.color);
  const width = Math.max(0, ...findings.map(({ about }) => about.length));
  const lines = findings.map(({ about, ok, words }) => {
    const mark = ok ? paint.green("✔") : paint.red("✖");
    return `${mark} ${about.padEnd(width)}  ${ok ? words : paint.red(words)}`;
  });
  return lines.join("\n") + "\n";
}
