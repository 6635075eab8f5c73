/** One run, as it stands. */
import { formatDuration } from "../core/duration.ts";
import { ExactNumber } from "../core/exact_number.ts";
import { runDocument } from "../report/document_writer.ts";
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
import { type Markup, markup, NOTHING, trusted } from "./markup.ts";
import type { FoldedRun } from "./run_folds.ts";
import { stepRow } from "./step_row.ts";
import { timeline } from "./timeline.ts";
import { textOf } from "../store/history.ts";

export interface RunPageOptions {
  readonly frame: Pick<Frame, "formToken" | "now">;
  /** Last lines of steps that failed, without colours. */
  readonly tail: (step: string) => readonly string[];
  /** Drawn before, where that will do. */
  readonly timeline?: string | undefined;
}

export function runPage(
  frame: Frame,
  folded: FoldedRun,
  said: string | undefined,
  parts: Parts,
): Markup {
  const { state } = folded;
  const part = (id: string) => trusted(parts.get(id) ?? "");
  const rows = [...parts].filter(([id]) => id.startsWith("s-")).map(([, row]) => trusted(row));
  return renderPage(frame, {
    title: `${state.pipeline} ${state.run}`,
    at: "runs",
    live: state.result === "running" && folded.isUnderWay
      ? `${runPath(state.run)}/events`
      : undefined,
    main: markup`${said === undefined ? NOTHING : markup`<p class="said" role="status">${said}</p>`}
${part("head")}
${part("failures")}
${part("timeline")}
<section><h2>Steps</h2>
${
      state.steps.size > MANY
        ? markup`
          <div
            class="row"><label class="grow">only steps with (press /)<input type="search" id="sieve" placeholder="a name, a state, a node"></label></div>
        `
        : NOTHING
    }
<table class="steps"><thead><tr><th>step</th><th>state</th><th>node</th><th>time</th><th>attempts</th><th>why</th></tr></thead><tbody id="steps">
${rows}
</tbody></table></section>
${part("rest")}`,
  });
}

/** Steps that a person sees at once. */
const MANY = 12;

export function runParts(folded: FoldedRun, options: RunPageOptions): Parts {
  const { state, stoppedAt } = folded;
  const report = runDocument(state, {
    logOf: () => null,
    transports: [],
    stoppedAt,
    tail: options.tail,
  });
  const parts = new Map<string, string>();
  parts.set("head", head(folded, report, options).text);
  parts.set("failures", failurePart(report, options.tail).text);
  parts.set(
    "timeline",
    options.timeline ?? timeline(report, (stoppedAt ?? options.frame.now) - state.startedAt).text,
  );
  let number = 0;
  for (const step of state.steps.values()) {
    parts.set(
      `s-${number}`,
      stepRow(step, { run: state.run, number, isStopped: stoppedAt !== undefined }),
    );
    number++;
  }
  parts.set("rest", rest(report).text);
  return parts;
}

function head(folded: FoldedRun, report: RunDocument, { frame }: RunPageOptions): Markup {
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
        actionForm(frame as Frame, {
          path: `${runPath(run)}/cancel`,
          label: "cancel this run",
          kind: "bad",
        }),
      ]
      : []),
    ...(isResumable
      ? [
        actionForm(frame as Frame, {
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

const LONGEST_VALUE = 400;

function rest(report: RunDocument): Markup {
  const outputs = report.steps.filter(({ kind }) => kind !== "select-node" && kind !== "sync")
    .flatMap((step) =>
      Object.entries(step.outputs)
        .filter(([, value]) =>
          typeof value !== "object" || value === null || value instanceof ExactNumber
        )
        .map(([name, value]): [string, string] => [`${step.id}.${name}`, textOf(value)])
    );
  const inputs = Object.entries(report.inputs).map((
    [name, value],
  ): [string, string] => [name, textOf(value)]);
  return markup`<div id="rest">${pairs("Results", outputs)}${pairs("Inputs", inputs)}${
    report.warnings.length === 0 ? NOTHING : markup`
      <section>
        <h2>Warnings</h2>
        <ul>${report.warnings.map((each) => markup`<li>${each}</li>`)}</ul>
      </section>
    `
  }</div>`;
}

function pairs(title: string, rows: readonly (readonly [string, string])[]): Markup {
  if (rows.length === 0) return NOTHING;
  return markup`
    <section>
      <h2>${title}</h2>
      <table class="pairs">
        <tbody>${
    rows.map(([name, value]) =>
      markup`
            <tr>
              <td>${name}</td>
              <td>${value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value}</td>
            </tr>
          `
    )
  }</tbody>
      </table>
    </section>
  `;
}
