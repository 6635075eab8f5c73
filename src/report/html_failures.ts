/** What went wrong, for `report.html`: the first failure with all that helps, the others below it. */
import { quote } from "../core/shell.ts";
import { type Look, PLAIN, renderAnsi } from "./ansi.ts";
import { type AnchorOf, fileAddress, stepLink } from "./html_parts.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { RunDocument, StepDocument } from "./run_document.ts";

/** Last lines that a step printed. */
export type TailOf = (step: string) => readonly string[];

export interface FailureOptions {
  readonly tail: TailOf;
  readonly anchorOf: AnchorOf;
}

/** Further failures that are told here, and steps that are named as one; all of them stand among the steps. */
const MOST_OTHERS = 20;

/** Empty where nothing failed. */
export function failureSection(report: RunDocument, options: FailureOptions): string {
  const step = report.steps.find(({ id }) => id === report.firstFailure);
  if (!step) return "";
  const { tail, anchorOf } = options;
  const lines = tail(step.id);
  const attempts = step.attempts.length > 1 ? ` after ${step.attempts.length} attempts` : "";
  const commands = [
    ...(lines.length > 0 ? [`grid logs ${report.run} ${quote(step.id)}`] : []),
    ...(report.file === "" ? [] : [`grid resume ${report.run}`]),
  ].map((command) => `<code>${text(command)}</code>`);
  const next = commands.length === 0 ? "" : `<p class="next">next: ${commands.join(" ")}</p>\n`;
  const hint = step.failure?.hint ? `<p class="hint">${text(step.failure.hint)}</p>` : "";
  return `<section class="failure" id="failure" aria-labelledby="failure-title">
<h2 id="failure-title">First failure: ${stepLink(step.id, anchorOf)}${where(step)}${attempts}</h2>
<p>${text(step.failure?.message ?? step.state)}</p>
${hint}${output(step, lines)}${log(step)}
${next}${others(report, options)}</section>`;
}

function others(report: RunDocument, options: FailureOptions): string {
  const failed = report.steps.filter(({ id, kind, state }) =>
    (state === "failed" || state === "timed-out") && kind !== "group" && id !== report.firstFailure
  );
  if (failed.length === 0) return "";
  const known = new Map(failed.map((step) => [step.id, step]));
  const grouped = report.failureGroups.map(({ words, steps }) => ({
    words,
    isFirst: report.firstFailure !== null && steps.includes(report.firstFailure),
    steps: steps.flatMap((id) => known.get(id) ?? []),
  })).filter(({ steps }) => steps.length > 0);
  const told = new Set(grouped.flatMap(({ steps }) => steps));
  const rest = failed.filter((step) => !told.has(step))
    .map((step) => ({ words: step.failure?.message ?? step.state, isFirst: false, steps: [step] }));
  const groups = [...grouped, ...rest];
  const items = groups.slice(0, MOST_OTHERS).map((group) => groupItem(group, options));
  const left = groups.length - items.length;
  const more = left > 0 ? `<p>… and ${left} more kinds, below among the steps</p>` : "";
  return `<h3>Failed after that</h3>\n<ul class="causes">\n${items.join("\n")}\n</ul>\n${more}`;
}

interface Group {
  readonly words: string;
  /** The same as the first failure. */
  readonly isFirst: boolean;
  readonly steps: readonly StepDocument[];
}

/** What is one and the same is told once, with the last lines of one of them. */
function groupItem({ words, isFirst, steps }: Group, { tail, anchorOf }: FailureOptions): string {
  const [only, ...more] = steps;
  if (only === undefined) return "";
  const names = steps.slice(0, MOST_OTHERS).map(({ id }) => stepLink(id, anchorOf)).join(", ");
  const left = steps.length - MOST_OTHERS;
  const named = `${names}${left > 0 ? ` and ${left} more` : ""}`;
  if (isFirst) {
    return `<li><b>${steps.length}×</b> as the first: <span class="names">${named}</span></li>`;
  }
  const lines = tail(only.id);
  const last = lines.length === 0
    ? ""
    : `<details><summary>last lines${more.length > 0 ? ` of ${text(only.id)}` : ""}</summary>${
      output(only, lines)
    }${log(only)}</details>`;
  if (more.length === 0) {
    const message = only.failure?.message ?? only.state;
    return `<li><b>${named}</b>${where(only)}: ${text(message)}${last}</li>`;
  }
  return `<li><b>${steps.length}× ${
    text(words)
  }</b>: <span class="names">${named}</span>${last}</li>`;
}

function where({ node }: StepDocument): string {
  return node === null ? "" : ` on ${text(node)}`;
}

function output({ id }: StepDocument, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  let look: Look = PLAIN;
  const shown = lines.map((line) => {
    const rendered = renderAnsi(line, look);
    look = rendered.look;
    return rendered.markup;
  });
  return `<pre class="log" role="region" tabindex="0" aria-label="Last lines of ${text(id)}">${
    shown.join("\n")
  }</pre>`;
}

function log({ attempts }: StepDocument): string {
  const path = attempts.at(-1)?.log;
  return path ? `<p class="soft"><a href="${fileAddress(path)}">whole log</a></p>` : "";
}
