/** The steps of a run as its report shows them, each a part of the page that can be replaced by itself. */
import { groupMarkup, type LiveWords, type StepMarkup, stepMarkup } from "../report/html_steps.ts";
import { anchorsOf } from "../report/html_parts.ts";
import { drawnAttempts } from "../report/html_usage.ts";
import type { RunDocument, StepDocument } from "../report/run_document.ts";
import { growing, logPath } from "./layout.ts";
import { markup } from "./markup.ts";
import type { RunView } from "./run_view.ts";

export interface LiveSteps {
  /** All of them. */
  readonly page: string;
  /** Id of an element → its HTML, without the bars, which are elements of their own. */
  readonly parts: ReadonlyMap<string, string>;
}

/** Of more steps a browser lays out only those that are looked at. */
const MANY = 100;

/** What is said of a step that is over stays. */
const written = new WeakMap<StepDocument, StepMarkup>();

export function liveSteps({ folded, report, drawings }: RunView): LiveSteps {
  const known = new Set(report.steps.map(({ id }) => id));
  const isWithin = ({ group }: StepDocument) => group !== null && known.has(group);
  const members = Map.groupBy(report.steps.filter(isWithin), ({ group }) => group ?? "");
  const places = new Map(report.steps.map((step, at) => [step, at]));
  const words = { anchorOf: anchorsOf(report), live: liveWords(report, folded.isUnderWay) };
  const isDrawn = drawnAttempts(report);
  const markupOf = (step: StepDocument) => {
    const markup = written.get(step) ??
      stepMarkup(step, { ...words, isDrawn, logOf: () => undefined });
    if (step.finishedAt !== null) written.set(step, markup);
    return markup;
  };
  const parts = new Map<string, string>();
  let page = "";
  const add = (step: StepDocument) => {
    const at = places.get(step) ?? 0;
    const bars = `<svg id="b${at + 1}" data-own${(drawings.bars[at] ?? "").slice("<svg".length)}`;
    const hollow = `<svg id="b${at + 1}" data-own></svg>`;
    parts.set(`b${at + 1}`, bars);
    const own = members.get(step.id);
    if (own === undefined) {
      const { before, after } = markupOf(step);
      // A link has no place in what unfolds when it is pressed.
      const log = `<span class="tolog" id="l${at + 1}">${logLink(step, report)}</span>`;
      page += `<div class="lined">${before}${bars}${after}${log}</div>`;
      parts.set(`l${at + 1}`, log);
      parts.set(words.anchorOf(step.id), `${before}${hollow}${after}`);
      return;
    }
    const { before, summary, after } = groupMarkup(step, { ...words, members: own.length });
    page += `${before}${summary}${bars}</span></summary>${after}`;
    parts.set(`g${at + 1}`, `${summary}${hollow}</span></summary>`);
    for (const member of own) add(member);
    page += "</div></details>\n";
  };
  for (const step of report.steps) if (!isWithin(step)) add(step);
  const { axis, legend } = drawings;
  const head = `<div class="row head" id="axis" aria-hidden="true"><span>step</span>` +
    `<span>node</span><span class="number">time</span>${axis}</div>`;
  parts.set("axis", head);
  parts.set("legend", `<div id="legend">${legend}</div>`);
  const many = report.steps.length > MANY ? " many" : "";
  return {
    page:
      `<div id="legend">${legend}</div><div class="steps${many}" id="steps">${head}${page}</div>`,
    parts,
  };
}

function liveWords({ run, startedAt }: RunDocument, isUnderWay: boolean): LiveWords {
  const beganAt = Date.parse(startedAt);
  return {
    time: ({ state, afterMs }) =>
      isUnderWay && state === "running" && afterMs !== null
        ? growing(beganAt + afterMs).text
        : undefined,
    // The one of a single attempt stands in the step's row.
    log: ({ id, attempts }, attempt) =>
      attempts.length > 1 ? `${logPath(run, id)}?attempt=${attempt}` : undefined,
  };
}

/** Of the last attempt; where the result is an earlier run's, so is the log. */
function logLink({ id, kind, attempts, reusedFrom }: StepDocument, { run }: RunDocument): string {
  const from = attempts.length > 0 ? run : reusedFrom?.run;
  if (from === undefined || kind === "group") return "";
  return markup`<a href="${logPath(from, id)}">log<span class="unseen"> of ${id}</span></a>`.text;
}
