/** What an attempt printed, line by line, each with an address: `#L3-1-17`. */
import { unkeptWords } from "../engine/unkept_output.ts";
import { formatSize } from "../core/size.ts";
import { type Look, PLAIN, renderAnsi } from "./ansi.ts";
import { fileAddress } from "./html_parts.ts";
import type { LogExcerpt } from "./log_excerpts.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { AttemptDocument } from "./run_document.ts";

export interface LogOptions {
  /** Of the step: `s3`. */
  readonly anchor: string;
  readonly step: string;
  /** Whether the step has other attempts. */
  readonly isOneOfSome: boolean;
}

/** Empty where the attempt printed nothing; a link alone where the page has no room for it. */
export function renderLog(
  attempt: AttemptDocument,
  excerpt: LogExcerpt | undefined,
  { anchor, step, isOneOfSome }: LogOptions,
): string {
  const name = isOneOfSome ? `log of attempt ${attempt.attempt}` : "log";
  const unkept = unkeptWords(attempt);
  if (attempt.log === null) {
    return unkept === undefined ? "" : `<p class="logname">${name}: ${unkept}</p>`;
  }
  const whole = `<a href="${fileAddress(attempt.log)}">${
    excerpt && excerpt.skipped === 0 ? "file" : "whole log"
  }</a>`;
  if (!excerpt) return `<p class="logname">${name}: ${whole}</p>`;
  const began = `began ${timeOfDay(attempt.startedAt)} UTC`;
  const size = [...sizeWords(excerpt), ...(unkept === undefined ? [] : [unkept])];
  const head = [name, began, ...size, whole].join(" · ");
  const start = excerpt.firstLine ?? 1;
  const label = `Log of ${step}${isOneOfSome ? `, attempt ${attempt.attempt}` : ""}`;
  const id = `L${anchor.slice(1)}-${attempt.attempt}-`;
  return `<p class="logname">${head}</p>\n<pre class="log${
    start === 1 ? "" : ` from`
  }" role="region" tabindex="0" aria-label="${text(label)}">${
    logLines(excerpt.lines, { id, start })
  }</pre>`;
}

function sizeWords({ lines, skipped, firstLine }: LogExcerpt): string[] {
  if (skipped === 0) return [];
  const uncounted = firstLine === null ? ", counted from here" : "";
  return [`the last ${lines.length} lines${uncounted}; ${formatSize(skipped)} before them`];
}

interface LinesOptions {
  /** What the addresses begin with. */
  readonly id: string;
  /** Number of the first. */
  readonly start: number;
}

/** Numbers stand in attributes, so that copied text has none. */
export function logLines(lines: readonly string[], { id, start }: LinesOptions): string {
  let look: Look = PLAIN;
  let markup = "";
  for (const [at, line] of lines.entries()) {
    const rendered = renderAnsi(line, look);
    look = rendered.look;
    const number = start + at;
    markup += `<span id="${id}${number}" data-n="${number}">${rendered.markup}\n</span>`;
  }
  return markup;
}

function timeOfDay(iso: string): string {
  return iso.slice(11, 19);
}
