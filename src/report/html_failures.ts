/** What went wrong, for `report.html`: the first failure with all that helps, the others below it. */
import { quote } from "../core/shell.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { RunDocument, StepDocument } from "./run_document.ts";

/** Last lines that a step printed. */
export type TailOf = (step: string) => readonly string[];

/** Further failures that are told here; all of them stand in the table of steps. */
const MOST_OTHERS = 20;

/** Empty where nothing failed. */
export function failureSection(report: RunDocument, tail: TailOf): string {
  const step = report.steps.find(({ id }) => id === report.firstFailure);
  if (!step) return "";
  const lines = tail(step.id);
  const attempts = step.attempts.length > 1 ? ` after ${step.attempts.length} attempts` : "";
  const commands = [
    ...(lines.length > 0 ? [`grid logs ${report.run} ${quote(step.id)}`] : []),
    ...(report.file === "" ? [] : [`grid resume ${report.run}`]),
  ].map((command) => `<code>${text(command)}</code>`);
  const next = commands.length === 0 ? "" : `<p>next: ${commands.join(" · ")}</p>\n`;
  const hint = step.failure?.hint ? `<p class="hint">${text(step.failure.hint)}</p>` : "";
  return `<section class="failure">
<h2>First failure: ${text(step.id)}${where(step)}${attempts}</h2>
<p>${text(step.failure?.message ?? step.state)}</p>
${causes(report)}${hint}${output(lines)}${log(step)}
${next}${others(report, tail)}</section>`;
}

/** What many failures have in common, where there is more than one kind. */
function causes({ failureGroups }: RunDocument): string {
  if (failureGroups.length < 2) return "";
  const items = failureGroups.map(({ words, steps }) => `<li>${steps.length}× ${text(words)}</li>`);
  return `<ul>${items.join("")}</ul>\n`;
}

function others(report: RunDocument, tail: TailOf): string {
  const failed = report.steps.filter(({ id, kind, state }) =>
    (state === "failed" || state === "timed-out") && kind !== "group" && id !== report.firstFailure
  );
  if (failed.length === 0) return "";
  const items = failed.slice(0, MOST_OTHERS).map((step) => {
    const lines = tail(step.id);
    const more = lines.length === 0
      ? ""
      : `<details><summary>last lines</summary>${output(lines)}${log(step)}</details>`;
    return `<li><b>${text(step.id)}</b>${where(step)}: ${
      text(step.failure?.message ?? step.state)
    }${more}</li>`;
  });
  const left = failed.length - items.length;
  const rest = left > 0 ? `<p>… and ${left} more, below among the steps</p>` : "";
  return `<h2>Failed after that</h2>\n<ul>\n${items.join("\n")}\n</ul>\n${rest}`;
}

function where({ node }: StepDocument): string {
  return node === null ? "" : ` on ${text(node)}`;
}

function output(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `<pre>${lines.map(text).join("\n")}</pre>`;
}

function log({ attempts }: StepDocument): string {
  const path = attempts.at(-1)?.log;
  return path ? `<p><a href="${encodeURI(path)}">whole log</a></p>` : "";
}
