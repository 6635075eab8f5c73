/** What went wrong in a run: causes first, then the first failure with all that helps. */
import type { RunDocument, StepDocument } from "../report/run_document.ts";
import { logPath } from "./layout.ts";
import { type Markup, markup, NOTHING } from "./markup.ts";

type TailOf = (step: string) => readonly string[];

/** Named with their links; the table of steps has them all. */
const MOST_NAMED = 8;

/** An empty element where nothing failed, so that there is one to be replaced. */
export function failurePart(report: RunDocument, tail: TailOf): Markup {
  const groups = report.failureGroups;
  const step = report.steps.find(({ id }) => id === report.firstFailure) ??
    report.steps.find(({ id }) => id === groups[0]?.steps[0]);
  if (step === undefined) return markup`<section id="failures"></section>`;
  const lines = tail(step.id);
  return markup`
    <section id="failures"
      class="failure"><h2>First failure: ${step.id}${
    step.node === null ? "" : ` on ${step.node}`
  }</h2><p>${step.failure?.message ?? step.state}</p>${
    step.failure?.hint ? markup`<p class="hint">${step.failure.hint}</p>` : NOTHING
  }${
    lines.length === 0
      ? NOTHING
      : markup`<pre tabindex="0" aria-label="Last lines of ${step.id}">${lines.join("\n")}</pre>`
  }${logLink(report, step)}${causes(report)}</section>
  `;
}

function logLink({ run }: RunDocument, { id, attempts }: StepDocument): Markup {
  return attempts.length === 0
    ? NOTHING
    : markup`<p><a href="${logPath(run, id)}">whole log of ${id}</a></p>`;
}

/** Failures that differ in nothing but numbers are told once. */
function causes({ run, failureGroups }: RunDocument): Markup {
  const all = failureGroups.reduce((sum, { steps }) => sum + steps.length, 0);
  if (all < 2) return NOTHING;
  return markup`
    <h2>${all} steps failed</h2>
    <ul>${
    failureGroups.map(({ words, steps }) =>
      markup`<li><b>${steps.length}×</b> ${words} <span class="small">${
        steps.slice(0, MOST_NAMED).map((
          id,
        ) => [" ", markup`<a href="${logPath(run, id)}">${id}</a>`])
      }${steps.length > MOST_NAMED ? ` and ${steps.length - MOST_NAMED} more` : ""}</span></li>`
    )
  }</ul>
  `;
}
