/** When each step waited and worked, and why that took so long: as in the run's report, while it goes on. */
import { drawBars, renderAxis } from "../report/gantt.ts";
import { slowSentence } from "../report/html_slow.ts";
import type { RunDocument } from "../report/run_document.ts";
import { timingOf } from "../report/timing.ts";
import { type Markup, markup, NOTHING, trusted } from "./markup.ts";

/** @param nowMs since the run's beginning: as long is drawn what has no end */
export function timeline(report: RunDocument, nowMs: number): Markup {
  const timing = timingOf(report, { nowMs });
  const bars = drawBars(timing);
  const drawn = report.steps.filter(({ kind, attempts }) =>
    kind !== "group" && attempts.length > 0
  );
  const lanes = drawn.map((step) =>
    markup`
      <div class="lane"><span title="${step.id}">${step.id}</span>${trusted(bars.of(step))}</div>
    `
  );
  const sentence = slowSentence(report, timing);
  // What it shows stands in the table of steps as well.
  return markup`<section id="timeline">${
    lanes.length === 0 ? NOTHING : markup`
      <h2>Timeline</h2>
      ${sentence === "" ? NOTHING : markup`<p>${sentence}</p>`}${trusted(bars.legend())}
      <div class="lanes" tabindex="0" role="group"
        aria-label="Timeline of the steps"><div class="lane axis" aria-hidden="true"><span></span>${
      trusted(renderAxis(timing))
    }</div>${lanes}</div>
    `
  }</section>`;
}
