/** What `grid plan --check` found out: what is well in short, what is not in full. */
import { oneLine } from "./harmless.ts";
import { createPaint } from "./style.ts";
import { wrap } from "./width.ts";

export interface FindingRow {
  readonly about: string;
  readonly ok: boolean;
  /** No obstacle for certain, but worth a look. */
  readonly warning?: true | undefined;
  readonly words: string;
}

/** Words in a narrower column than this are harder to read than lines that wrap. */
const LEAST_ROOM = 24;

export function renderFindings(
  findings: readonly FindingRow[],
  options: { readonly color: boolean; readonly width: number },
): string {
  const paint = createPaint(options.color);
  const width = Math.max(0, ...findings.map(({ about }) => about.length));
  const indent = 2 + width + 2;
  const lines = findings.map(({ about, ok, warning, words }) => {
    const [mark, hue] = ok ? warning ? ["!", paint.yellow] : ["✔", paint.green] : ["✖", paint.red];
    const told = wrap(oneLine(words), Math.max(LEAST_ROOM, options.width - indent))
      .map((line) => ok && !warning ? line : hue(line));
    return `${hue(mark)} ${about.padEnd(width)}  ${told.join(`\n${" ".repeat(indent)}`)}`;
  });
  return lines.join("\n") + "\n";
}
