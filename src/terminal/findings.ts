/** What `grid plan --check` found out: what is well in short, what is not in full. */
import { createPaint } from "./style.ts";

export interface FindingRow {
  readonly about: string;
  readonly ok: boolean;
  /** No obstacle for certain, but worth a look. */
  readonly warning?: true | undefined;
  readonly words: string;
}

export function renderFindings(
  findings: readonly FindingRow[],
  options: { readonly color: boolean },
): string {
  const paint = createPaint(options.color);
  const width = Math.max(0, ...findings.map(({ about }) => about.length));
  const lines = findings.map(({ about, ok, warning, words }) => {
    const [mark, hue] = ok ? warning ? ["!", paint.yellow] : ["✔", paint.green] : ["✖", paint.red];
    return `${hue(mark)} ${about.padEnd(width)}  ${ok && !warning ? words : hue(words)}`;
  });
  return lines.join("\n") + "\n";
}
