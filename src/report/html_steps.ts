/** Every step in a line with its time; what it did and printed unfolds below. */
import { formatDuration } from "../core/duration.ts";
import { formatCount, formatSize } from "../core/size.ts";
import { type Bars, drawBars, renderAxis } from "./gantt.ts";
import { attemptFacts, attemptWords, maskWords } from "./html_attempts.ts";
import { type AnchorOf, shortened } from "./html_parts.ts";
import { renderLog } from "./html_logs.ts";
import { isScalar } from "./html_sweep.ts";
import { drawnAttempts, type IsDrawn, renderUsage } from "./html_usage.ts";
import type { LogOf } from "./log_excerpts.ts";
import type { Part } from "./page_part.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { RunDocument, StepDocument } from "./run_document.ts";
import type { Timing } from "./timing.ts";

/** Nodes that are named in one place; the report's JSON has them all. */
const MOST_NAMED = 5;
/** Characters. */
const LONG_NAME = 16;
/** A group of more is folded at first. */
const MOST_UNFOLDED = 40;

/** Of more steps a browser lays out only those that are looked at: the page is there sooner. */
const MANY = 100;

export interface StepsOptions {
  readonly timing: Timing;
  readonly anchorOf: AnchorOf;
  readonly logOf: LogOf;
  /** What was made of a step before. */
  readonly draftOf?:
    | ((step: StepDocument, isDrawn: IsDrawn) => StepMarkup | undefined)
    | undefined;
}

/** What a page that is told of news says otherwise. */
export interface LiveWords {
  /** Of a step that is under way: a time that grows, as markup. */
  readonly time: (step: StepDocument) => string | undefined;
  /** Address of what one of several attempts prints. */
  readonly log: (step: StepDocument, attempt: number) => string | undefined;
}

/** A step without members, but for its bars: they depend on how long the run took. */
export interface StepMarkup {
  readonly before: Part;
  readonly after: Part;
}

export function renderSteps(report: RunDocument, options: StepsOptions): Part[] {
  if (report.steps.length === 0) return [];
  const grouped = report.steps.filter(({ group }) => group !== null);
  const members = Map.groupBy(grouped, ({ group }) => group ?? "");
  const known = new Set(grouped.length === 0 ? [] : report.steps.map(({ id }) => id));
  const isDrawn = drawnAttempts(report);
  const head = `<div class="row head" aria-hidden="true"><span>step</span><span>node</span>` +
    `<span class="number">time</span>${renderAxis(options.timing)}</div>`;
  const bars = drawBars(options.timing);
  const parts: Part[] = [""];
  const line = { ...options, members, isDrawn, parts, bars };
  for (const step of report.steps) {
    if (step.group === null || !known.has(step.group)) addStep(step, line);
  }
  const many = report.steps.length > MANY ? " many" : "";
  parts[0] = `${bars.legend()}\n<div class="steps${many}">\n${head}\n`;
  parts.push("</div>");
  return parts;
}

export interface BodyOptions extends Pick<StepsOptions, "anchorOf" | "logOf"> {
  /** Whose use of the node is drawn. */
  readonly isDrawn: IsDrawn;
  readonly live?: LiveWords;
}

interface LineOptions extends StepsOptions, BodyOptions {
  readonly members: ReadonlyMap<string, readonly StepDocument[]>;
  /** Of the page so far. */
  readonly parts: Part[];
  readonly bars: Bars;
}

/** A group holds its members. */
function addStep(step: StepDocument, options: LineOptions): void {
  const { members, parts, bars } = options;
  const own = members.get(step.id) ?? [];
  if (own.length === 0) {
    const { before, after } = options.draftOf?.(step, options.isDrawn) ?? stepMarkup(step, options);
    parts.push(before, bars.of(step), after);
    return;
  }
  const { before, summary, after } = groupMarkup(step, { ...options, members: own.length });
  parts.push(`${before}${summary}${bars.of(step)}</span></summary>${after}`);
  for (const member of own) addStep(member, options);
  parts.push("</div></details>\n");
}

/** A step with members, up to them; its bars come behind the summary, which they belong to. */
export function groupMarkup(
  step: StepDocument,
  { anchorOf, live, members }: Pick<BodyOptions, "anchorOf" | "live"> & {
    readonly members: number;
  },
): { readonly before: string; readonly summary: string; readonly after: string } {
  const isOpen = members <= MOST_UNFOLDED ? " open" : "";
  return {
    before: `${opening(step, { anchorOf })}${isOpen}>`,
    summary: `<summary id="g${anchorOf(step.id).slice(1)}">${row(step, { members, live })}`,
    after: `${groupFacts(step)}<div class="members">\n`,
  };
}

export function stepMarkup(
  step: StepDocument,
  options: BodyOptions,
): { readonly before: string; readonly after: string } {
  return {
    before: `${opening(step, options)}><summary>${row(step, { members: 0, live: options.live })}`,
    after: `</span></summary><div class="body">${stepBody(step, options)}</div></details>\n`,
  };
}

function opening(step: StepDocument, { anchorOf }: Pick<StepsOptions, "anchorOf">): string {
  return `<details class="step" id="${anchorOf(step.id)}" data-state="${step.state}"`;
}

/** Up to its bars. */
function row(
  step: StepDocument,
  { members, live }: { readonly members: number; readonly live: LiveWords | undefined },
): string {
  const time = live?.time(step) ??
    (step.durationMs === null ? "" : formatDuration(step.durationMs));
  const what = members > 0 ? `${members} ${members > 1 ? "steps" : "step"}` : step.kind;
  return `<span class="row"><span class="name"><i class="dot ${step.state}"></i><b>${
    nameOf(step)
  }</b> <small>${what}${step.hook === null ? "" : `, on ${step.hook}`}</small>${
    stateWords(step)
  }</span><span class="node">${text(nodesOf(step))}</span><span class="number">${time}</span>`;
}

/** Below its group a member need not say the group's name again to those who see both. */
function nameOf({ id, group }: StepDocument): string {
  if (group === null || !id.startsWith(group) || id.length === group.length) return broken(id);
  return `<span class="unseen">${text(group)}</span>${broken(id.slice(group.length))}`;
}

/** A long name may be broken between its parts. */
function broken(name: string): string {
  if (name.length < LONG_NAME) return text(name);
  return text(name).replaceAll(/[,/](?=.)/g, "$&<wbr>");
}

/** In words to all where it is news; the dot says to those who see it that all went well. */
function stateWords({ hook, state, counted, attempts }: StepDocument): string {
  const word = hook !== null && state === "skipped" && !counted ? "not called for" : state;
  const tries = attempts.length > 1 ? ` ${attempts.length} attempts` : "";
  return state === "succeeded"
    ? `<span class="unseen"> ${word}</span>${tries === "" ? "" : ` <small>${tries}</small>`}`
    : ` <small class="state ${state}">${word}${tries === "" ? "" : `,${tries}`}</small>`;
}

/** A step that syncs has no node of its own but all that it reached. */
function nodesOf({ node, attempts }: StepDocument): string {
  const last = attempts.at(-1);
  const ranks = last?.ranks?.map((rank) => rank.node);
  const all = ranks ?? last?.syncs.map((sync) => sync.node) ?? [];
  const others = all.length - MOST_NAMED;
  const named = all.slice(0, MOST_NAMED).join(", ");
  const words = others > 0 ? `${named} and ${others} more` : named;
  return ranks === undefined ? node ?? words : words;
}

function groupFacts(step: StepDocument): string {
  const facts = [reason(step), outputs(step)].join("");
  return facts === "" ? "" : `<div class="body">${facts}</div>`;
}

function stepBody(step: StepDocument, options: BodyOptions): string {
  return `${reason(step)}${attempts(step, options)}${outputs(step)}${maskWords(step)}` ||
    `<p class="soft">nothing happened</p>`;
}

function reason({ reason, failure, state }: StepDocument): string {
  const words = failure?.message ?? reason;
  if (words === null || words === undefined) return "";
  const hint = failure?.hint ? `<p class="hint">${text(failure.hint)}</p>` : "";
  return `<p class="${failure ? state : "soft"}">${text(words)}</p>${hint}`;
}

function attempts(step: StepDocument, { anchorOf, logOf, isDrawn, live }: BodyOptions): string {
  const isOneOfSome = step.attempts.length > 1;
  const anchor = anchorOf(step.id);
  return step.attempts.map((attempt) => {
    const facts = isOneOfSome
      ? `<p id="${anchor}a${attempt.attempt}"><b>attempt ${attempt.attempt}</b> · ${
        attemptWords(attempt)
      }</p>`
      : `<p class="soft">${attemptFacts(attempt).join(" · ")}</p>`;
    const address = live?.log(step, attempt.attempt);
    const log = address !== undefined
      ? logLink(address)
      : renderLog(attempt, logOf(step.id, attempt.attempt), {
        anchor,
        step: step.id,
        isOneOfSome,
      });
    return facts + renderUsage(attempt, isDrawn) + log;
  }).join("\n");
}

function logLink(address: string): string {
  return `<p class="logname"><a href="${text(address)}">log</a></p>`;
}

/** Numbers and words that the step computed; lists stand in files or in the report's JSON. */
function outputs({ kind, outputs, filed }: StepDocument): string {
  if (kind === "select-node" || kind === "sync") return "";
  const words = Object.entries(outputs).filter(([, value]) => isScalar(value))
    .map(([name, value]) => `${text(name)} <b>${text(shortened(String(value)))}</b>`);
  const files = Object.entries(filed).map(([name, { items, bytes }]) =>
    `${text(name)} ${formatCount(items)} values, ${formatSize(bytes)}`
  );
  const all = [...words, ...files];
  return all.length === 0 ? "" : `<p class="outputs">${all.join(" · ")}</p>`;
}
