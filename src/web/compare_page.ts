/** Two runs beside each other. */
import { formatDuration } from "../core/duration.ts";
import { type Pair, runDifference, type StepFigures } from "../engine/run_difference.ts";
import { textOf } from "../store/history.ts";
import type { RunRow } from "../store/store.ts";
import { type Frame, renderPage, runPath, timeWords } from "./layout.ts";
import { type Markup, markup, NOTHING, type Piece } from "./markup.ts";
import type { FoldedRun } from "./run_folds.ts";
import { stateWords } from "./runs_page.ts";

/** Of the runs that the fields offer. */
export const MOST_OFFERED = 50;

export interface ComparePageOptions {
  readonly frame: Frame;
  readonly recent: readonly RunRow[];
  /** Undefined as long as nobody said which. */
  readonly runs: readonly [one: FoldedRun, other: FoldedRun] | undefined;
}

export function comparePage({ frame, recent, runs }: ComparePageOptions): Markup {
  const [one, other] = runs ?? [];
  const field = (name: string, words: string, value: string) =>
    markup`
      <label
        class="grow">${words}<input type="text" name="${name}" value="${value}" list="recent" required placeholder="an id, a pipeline, last, train@2"></label>
    `;
  const offered = recent.map(({ run, pipeline, result }) =>
    markup`<option value="${run}">${pipeline}, ${result}</option>`
  );
  return renderPage(frame, {
    title: "Compare",
    at: "compare",
    main: markup`
      <h1>Compare two runs</h1>
      <form class="fields" method="get"
        action="/compare">${field("a", "this run", one?.state.run ?? "")}${
      field(
        "b",
        "with this one",
        other?.state.run ?? "",
      )
    }<button>compare</button></form>
      <datalist id="recent">${offered}</datalist>
      ${
      one === undefined || other === undefined
        ? markup`<p class="soft">Say which two; on the page of all runs, mark them.</p>`
        : comparison(one, other)
    }
    `,
  });
}

function comparison(one: FoldedRun, other: FoldedRun): Markup {
  const { inputs, outputs, steps, commit, sameDefinition } = runDifference(one.state, other.state);
  const plain = (title: string, rows: readonly Pair<unknown>[]) =>
    table(title, rows, {
      one,
      other,
      show: (value) => markup`${shortened(textOf(value as string))}`,
    });
  const row = (name: string, one: Piece, other: Piece, differs = false) =>
    markup`<tr${
      differs ? markup` class="differs"` : ""
    }><td class="soft">${name}</td><td>${one}</td><td>${other}</td></tr>`;
  const [first, second] = [one.state, other.state];
  const slower = change(first.durationMs, second.durationMs);
  return markup`<table class="list"><thead><tr><th>of both</th><th>${runLink(one)}</th><th>${
    runLink(other)
  }</th></tr></thead><tbody>
${row("pipeline", first.pipeline, second.pipeline)}
${row("result", stateWords(resultOf(one)), stateWords(resultOf(other)))}
${row("began", timeWords(first.startedAt), timeWords(second.startedAt))}
${row("took", length(first.durationMs), [length(second.durationMs), " ", slower])}
${
    commit.one === undefined && commit.other === undefined
      ? NOTHING
      : row("commit", commit.one, commit.other, commit.differs)
  }
</tbody></table>
${sameDefinition === false ? markup`<p>The pipeline said something else.</p>` : NOTHING}
${plain("Inputs", inputs)}${plain("Results", outputs)}${
    table("Steps", steps, {
      one,
      other,
      show: (value, before) => figures(value as StepFigures, before as StepFigures | undefined),
      isWhole: true,
    })
  }`;
}

interface TableOptions {
  readonly one: FoldedRun;
  readonly other: FoldedRun;
  /** `before`: the same of the first run. */
  readonly show: (value: unknown, before?: unknown) => Markup;
  /** Equal rows are shown, too. */
  readonly isWhole?: boolean;
}

function table(
  title: string,
  rows: readonly Pair<unknown>[],
  { one, other, show, isWhole = false }: TableOptions,
): Markup {
  if (rows.length === 0) return NOTHING;
  const differing = rows.filter(({ differs }) => differs);
  const shown = isWhole ? rows : differing;
  const equal = rows.length - differing.length;
  const cell = (value: unknown, before?: unknown) =>
    value === undefined ? markup`<span class="soft">none</span>` : show(value, before);
  const row = ({ name, one, other, differs }: Pair<unknown>) =>
    markup`<tr${differs ? markup` class="differs"` : ""}><td>${name}</td><td>${cell(one)}</td><td>${
      cell(other, one)
    }</td></tr>`;
  const head =
    markup`<tr><th>name</th><th class="mono">${one.state.run}</th><th class="mono">${other.state.run}</th></tr>`;
  const same = isWhole || equal === 0
    ? NOTHING
    : markup`<p class="soft">${equal} ${equal === 1 ? "is" : "are"} equal.</p>`;
  return markup`<section><h2>${title}</h2>${
    shown.length === 0
      ? NOTHING
      : markup`<table class="list"><thead>${head}</thead><tbody>${shown.map(row)}</tbody></table>`
  }${same}</section>`;
}

function figures(
  { status, durationMs, node, attempts }: StepFigures,
  before?: StepFigures,
): Markup {
  return markup`${stateWords(status)} ${length(durationMs)} ${
    change(before?.durationMs, durationMs)
  } <span class="soft small">${node}${attempts > 1 ? `, ${attempts} attempts` : ""}</span>`;
}

function length(ms: number | undefined): string {
  return ms === undefined ? "" : formatDuration(ms);
}

/** Less than a tenth, or than a second, is chance. */
function change(before: number | undefined, after: number | undefined): Markup {
  if (before === undefined || after === undefined || before <= 0) return NOTHING;
  if (Math.abs(after - before) < Math.max(1000, before / 10)) return NOTHING;
  const words = after > before
    ? `+${formatDuration(after - before)}`
    : `−${formatDuration(before - after)}`;
  return markup`<span class="${after > before ? "bad-ink" : "good-ink"} small">${words}</span>`;
}

function resultOf({ state, stoppedAt }: FoldedRun): string {
  return stoppedAt === undefined ? state.result : "stopped";
}

function runLink({ state }: FoldedRun): Markup {
  return markup`<a class="mono" href="${runPath(state.run)}">${state.run}</a>`;
}

const LONGEST_VALUE = 400;

function shortened(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
