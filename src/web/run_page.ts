/** One run, as it stands: what its report says of it, while it goes on. */
import { formatDuration } from "../core/duration.ts";
import { anchorsOf, section, wide } from "../report/html_parts.ts";
import { renderRan, renderWarnings } from "../report/html_ran.ts";
import { renderSweeps } from "../report/html_sweep.ts";
import { renderInputs, renderOutputs } from "../report/html_tables.ts";
import type { RunDocument } from "../report/run_document.ts";
import { failurePart } from "./failure_part.ts";
import {
  actionForm,
  filePath,
  type Frame,
  growing,
  renderPage,
  runPath,
  timeWords,
} from "./layout.ts";
import type { Parts } from "./live.ts";
import { liveSteps } from "./live_steps.ts";
import { type Markup, markup, NOTHING, trusted } from "./markup.ts";
import type { RunView } from "./run_view.ts";

export function runPage(
  frame: Frame,
  view: RunView,
  said: string | undefined,
): Markup {
  const { state, isUnderWay } = view.folded;
  const parts = runParts(view, frame);
  const part = (id: string) => trusted(parts.get(id) ?? "");
  return renderPage(frame, {
    title: `${state.pipeline} ${state.run}`,
    at: "runs",
    live: state.result === "running" && isUnderWay ? `${runPath(state.run)}/events` : undefined,
    main: markup`${said === undefined ? NOTHING : markup`<p class="said" role="status">${said}</p>`}
${ABOVE.map(part)}
<section><h2>Steps</h2>
${
      state.steps.size > MANY
        ? markup`
          <div
            class="fields"><label class="grow">only steps with (press /)<input type="search" id="sieve" placeholder="a name, a state, a node"></label></div>
        `
        : NOTHING
    }
${trusted(liveSteps(view).page)}</section>
${part("below")}`,
  });
}

/** Steps that a person sees at once. */
const MANY = 12;

/** What stands above the steps, in this order. */
const ABOVE = ["head", "failures", "slow", "warnings", "sweep", "results", "graph"];

export function runParts(view: RunView, frame: Pick<Frame, "formToken">): Parts {
  const { report, drawings, tail } = view;
  const anchorOf = anchorsOf(report);
  const folder = filePath(report.run, "");
  const sections = {
    slow: drawings.slow,
    warnings: section("Warnings", "warnings-of-run", renderWarnings(report)),
    sweep: section("Sweep", "sweep-of-run", renderSweeps(report, anchorOf)),
    results: section("Results", "results-of-run", renderOutputs(report, folder)),
    graph: section("Graph", "graph-of-run", wide("Graph of the steps", drawings.graph)),
    below: section("Inputs", "inputs", renderInputs(report)) +
      section("What ran", "ran", renderRan(report, { anchorOf, folder })),
  };
  return new Map([
    ["head", head(view, frame).text],
    ["failures", failurePart(report, tail).text],
    ...Object.entries(sections).map((
      [id, markup],
    ): [string, string] => [id, `<div id="${id}">${markup}</div>`]),
    ...liveSteps(view).parts,
  ]);
}

function head({ folded, report }: RunView, frame: Pick<Frame, "formToken">): Markup {
  const { state, isUnderWay, stoppedAt, resumedAs, note } = folded;
  const { run } = state;
  const length = isUnderWay ? growing(state.startedAt) : markup`${
    formatDuration(
      state.durationMs ?? Math.max(0, (stoppedAt ?? state.startedAt) - state.startedAt),
    )
  }`;
  const facts = [
    markup`<span>run <b class="mono">${run}</b></span>`,
    ...(state.file === "" ? [] : [markup`<span>file <b>${state.file}</b></span>`]),
    markup`<span>began <b>${timeWords(state.startedAt)}</b></span>`,
    ...(state.resumes === undefined ? [] : [
      markup`<span>resumes <a class="mono" href="${
        runPath(state.resumes)
      }">${state.resumes}</a></span>`,
    ]),
    ...(resumedAs === undefined ? [] : [
      markup`<span>resumed as <a class="mono" href="${runPath(resumedAs)}">${resumedAs}</a></span>`,
    ]),
    ...(state.exitCode === undefined
      ? []
      : [markup`<span>exit code <b>${state.exitCode}</b></span>`]),
  ];
  const isResumable = !isUnderWay && resumedAs === undefined && state.file !== "";
  const actions = [
    ...(isUnderWay
      ? [
        actionForm(frame, {
          path: `${runPath(run)}/cancel`,
          label: "cancel this run",
          kind: "bad",
        }),
      ]
      : []),
    ...(isResumable
      ? [
        actionForm(frame, {
          path: `${runPath(run)}/resume`,
          label: state.result === "succeeded" ? "run again from what is done" : "resume",
        }),
      ]
      : []),
    ...(isUnderWay ? [] : [markup`<a href="${filePath(run, "report.html")}">full report</a>`]),
    ...(state.resumes === undefined
      ? []
      : [markup`<a href="/compare?a=${state.resumes}&b=${run}">compare with ${state.resumes}</a>`]),
  ];
  const stopped = stoppedAt === undefined
    ? NOTHING
    : markup`<p class="warn-ink">Its runner is gone; it was last heard of ${
      timeWords(stoppedAt)
    }.</p>`;
  const waits = state.queue === undefined || !isUnderWay
    ? NOTHING
    : markup`<p class="warn-ink">It waits for its turn in group ${state.queue.group}, behind ${
      state.queue.ahead.join(", ")
    }.</p>`;
  return markup`
    <header
      id="head"><h1><span class="badge ${report.result}">${report.result}</span> ${state.pipeline} <span class="took">${length}</span></h1>
    <p class="facts">${facts}</p>
    <p class="counts">${counts(report.counts)}${
    Object.keys(report.hookCounts).length > 0
      ? markup`<span>hooks: </span>${counts(report.hookCounts)}`
      : NOTHING
  }</p>
    ${note === undefined ? NOTHING : markup`<p class="said">${note}</p>`}${stopped}${waits}
    <div class="actions">${actions}</div></header>
  `;
}

function counts(counts: RunDocument["counts"]): Markup[] {
  return Object.entries(counts).map(([state, count]) =>
    markup`<span><i class="dot ${state}"></i>${count} ${state}</span>`
  );
}
