/** All runs, newest first, found by what people remember of them. */
import { formatDuration, parseDuration } from "../core/duration.ts";
import { findRuns, type HistoryRow, RUN_STATES, textOf } from "../store/history.ts";
import type { RunRow } from "../store/store.ts";
import { type Frame, growing, renderPage, runPath, timeWords } from "./layout.ts";
import type { Parts } from "./live.ts";
import { type Markup, markup, NOTHING } from "./markup.ts";
import type { WebSources } from "./sources.ts";

/** What is asked for, as the address has it. */
export interface RunsQuery {
  /** Words that are part of pipeline, file, id or note; `name=value` is an input. */
  readonly words: string;
  readonly state: string;
  /** `7d`: began within that time; empty: whenever. */
  readonly within: string;
  /** From 1. */
  readonly page: number;
}

const ON_A_PAGE = 50;
/** Runs whose inputs are looked at for one page: all others wait meanwhile. */
const MOST_READ = 2000;
const LONGEST_QUERY = 300;
const TIMES = [["", "any time"], ["1h", "last hour"], ["1d", "last day"], ["7d", "last week"], [
  "30d",
  "last month",
]] as const;

/** What means nothing is not asked. */
export function runsQuery(params: URLSearchParams): RunsQuery {
  const state = params.get("state") ?? "";
  const within = params.get("within") ?? "";
  const page = Number(params.get("page") ?? 1);
  return {
    words: (params.get("q") ?? "").slice(0, LONGEST_QUERY).trim(),
    state: (RUN_STATES as readonly string[]).includes(state) ? state : "",
    within: parseDuration(within) === undefined ? "" : within,
    page: Number.isInteger(page) && page > 0 && page < 1e6 ? page : 1,
  };
}

/** The query as an address has it; the same query is the same text. */
export function queryText({ words, state, within, page }: RunsQuery): string {
  const params = new URLSearchParams();
  if (words !== "") params.set("q", words);
  if (state !== "") params.set("state", state);
  if (within !== "") params.set("within", within);
  if (page > 1) params.set("page", String(page));
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

export function runsPage(sources: WebSources, frame: Frame, query: RunsQuery): Markup {
  const parts = runsParts(sources, query);
  const states = ["", ...RUN_STATES].map((state) =>
    markup`
      <option value="${state}" ${state === query.state ? markup` selected` : ""}>${
      state || "any state"
    }</option>
    `
  );
  const times = TIMES.map(([value, words]) =>
    markup`
      <option value="${value}" ${value === query.within ? markup` selected` : ""}>${words}</option>
    `
  );
  return renderPage(frame, {
    title: "Runs",
    at: "runs",
    live: `/events${queryText(query)}`,
    main: markup`
      <h1>Runs</h1>
      <form class="fields" method="get" action="/" role="search">
        <label
          class="grow">search (press /)<input type="search" name="q" value="${query.words}" placeholder="pipeline, id, note, or input such as lr=0.1"></label>
        <label>state<select name="state" data-now>${states}</select></label>
        <label>began<select name="within" data-now>${times}</select></label>
        <button>search</button>
      </form>
      <form class="whole" method="get" action="/compare">
        <table
          class="list"><thead><tr><th>run</th><th>state</th><th>pipeline</th><th>began</th><th class="number">took</th><th>inputs</th><th>commit</th><th>mark</th></tr></thead>
      ${parts.body}
        </table>
      </form>
      ${parts.pager}
    `,
  });
}

export interface LiveRuns {
  readonly parts: Parts;
  /** What is under way now may be stopped later without a word in the store. */
  readonly hasRunning: boolean;
}

export function liveRuns(sources: WebSources, query: RunsQuery): LiveRuns {
  const { body, pager, hasRunning } = runsParts(sources, query);
  return { parts: new Map([["runs", body.text], ["pager", pager.text]]), hasRunning };
}

function runsParts(
  { store, clock }: WebSources,
  query: RunsQuery,
): { readonly body: Markup; readonly pager: Markup; readonly hasRunning: boolean } {
  const { words, state, within, page } = query;
  const asked = words.split(/\s+/).filter((word) => word !== "");
  const inputs = asked.filter((word) => word.indexOf("=") > 0)
    .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)] as const);
  const parts = asked.filter((word) => word.indexOf("=") <= 0).map((word) => word.toLowerCase());
  const found = findRuns(store, {
    limit: ON_A_PAGE + 1,
    skip: (page - 1) * ON_A_PAGE,
    states: state === "" ? undefined : [state],
    since: within === "" ? undefined : clock.now() - (parseDuration(within) ?? 0),
    inputs: Object.fromEntries(inputs),
    columns: [],
    mostRead: inputs.length === 0 ? undefined : MOST_READ,
    fits: parts.length === 0 ? undefined : (row) => hasWords(row, parts),
  });
  const rows = found.slice(0, ON_A_PAGE);
  const isAsked = queryText({ ...query, page: 1 }) !== "";
  const body = rows.length > 0 ? rows.map(runRow) : markup`
    <tr>
      <td colspan="8" class="soft">${
    isAsked || page > 1
      ? "no such runs"
      : "no runs yet; the first one will appear here: grid run pipelines/train.yaml"
  }</td>
    </tr>
  `;
  const to = (page: number, words: string) =>
    markup`<a href="/${queryText({ ...query, page })}">${words}</a>`;
  const newer = page > 1 ? to(page - 1, "← newer") : NOTHING;
  const isMore = found.length > ON_A_PAGE;
  // More than that were perhaps not looked at.
  const bound = inputs.length === 0 || isMore
    ? NOTHING
    : markup`<span class="soft">inputs: of the newest ${MOST_READ} runs that fit otherwise</span>`;
  return {
    body: markup`<tbody id="runs">${body}</tbody>`,
    pager: markup`<p id="pager" class="pager">${newer}${
      isMore ? to(page + 1, "older →") : NOTHING
    }${bound}</p>`,
    hasRunning: state === "stopped" || rows.some(({ result }) => result === "running"),
  };
}

function hasWords({ run, pipeline, file, note = "" }: RunRow, words: readonly string[]): boolean {
  const text = `${run}\n${pipeline}\n${file}\n${note}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function runRow(row: HistoryRow): Markup {
  const { run, pipeline, result, startedAt, resumes, resumedAs, note, commit = "", exitCode } = row;
  const inputs = Object.entries(row.inputs).map(([name, value]) => `${name}=${textOf(value)}`).join(
    " ",
  );
  const below = [
    ...(note === undefined ? [] : [markup`<div class="below">${note}</div>`]),
    ...(resumes === undefined
      ? []
      : [markup`<div class="below">resumes ${runLink(resumes)}</div>`]),
    ...(resumedAs === undefined
      ? []
      : [markup`<div class="below">resumed as ${runLink(resumedAs)}</div>`]),
  ];
  const exit = exitCode === undefined || exitCode === 0 ? "" : ` (${exitCode})`;
  return markup`
    <tr id="r-${run}">
      <td><a class="mono" href="${runPath(run)}">${run}</a>${below}</td>
      <td class="state">${stateWords(result)}${exit}</td>
      <td>${pipeline}</td>
      <td class="number">${timeWords(startedAt)}</td>
      <td class="number">${took(row)}</td>
      <td class="inputs">${shortened(inputs)}</td>
      <td class="mono">${commit}</td>
      <td
        class="pick"><input type="checkbox" name="run" value="${run}" aria-label="compare ${run}"></td>
    </tr>
  `;
}

function runLink(run: string): Markup {
  return markup`<a class="mono" href="${runPath(run)}">${run}</a>`;
}

/** Words that come from the store are no class names unless they are known ones. */
export function stateWords(state: string): Markup {
  return markup`<i class="dot ${/^[a-z-]+$/.test(state) ? state : ""}"></i>${state}`;
}

function took({ result, startedAt, finishedAt, durationMs, lastEventAt }: HistoryRow): Markup {
  if (result === "running") return growing(startedAt);
  const end = finishedAt ?? lastEventAt ?? startedAt;
  return markup`${formatDuration(durationMs ?? Math.max(0, end - startedAt))}`;
}

const LONGEST_INPUTS = 160;

function shortened(text: string): string {
  return text.length > LONGEST_INPUTS ? `${text.slice(0, LONGEST_INPUTS - 1)}…` : text;
}
