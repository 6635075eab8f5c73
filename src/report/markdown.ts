/**
 * `summary.md`: what came of a run, for the page that a CI system shows of a job. Markdown as GitHub
 * and GitLab have it: https://github.github.com/gfm/
 */
import { formatDuration } from "../core/duration.ts";
import { ExactNumber } from "../core/exact_number.ts";
import { escapeMarkup } from "./markup.ts";
import type { RunDocument, StepDocument } from "./run_document.ts";

export interface MarkdownOptions {
  /** Last lines that a step printed. */
  readonly tail: (step: string) => readonly string[];
}

/** Rows of the table; those that went wrong come first. GitHub takes 1 MiB of a job's step. */
const MOST_ROWS = 100;
/** Failures whose last lines are shown. */
const MOST_TAILS = 10;
const LONGEST_CELL = 300;
const LONGEST_LINE = 1000;
const LONGEST_OUTPUT = 60;

export function renderMarkdown(report: RunDocument, options: MarkdownOptions): string {
  const steps = report.steps.filter(({ counted }) => counted);
  const bad = steps.filter(isBad);
  const blocks = [
    `### ${markOf(report.result)} ${inline(report.pipeline)} ${wordOf(report.result)}` +
    (report.durationMs === null ? "" : ` in ${formatDuration(report.durationMs)}`),
    `${countsOf(report.counts)}. Run \`${report.run}\`.`,
    table([...bad, ...steps.filter((step) => !isBad(step))]),
    ...bad.slice(0, MOST_TAILS).flatMap((step) => tailOf(step, options)),
    report.warnings.length === 0
      ? ""
      : report.warnings.slice(0, MOST_TAILS).map((text) => `> warning: ${inline(text)}`).join(
        "\n>\n",
      ),
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function table(steps: readonly StepDocument[]): string {
  const rows = steps.slice(0, MOST_ROWS).map((step) => {
    const time = step.durationMs === null ? "" : formatDuration(step.durationMs);
    const what = step.failure?.message ?? step.reason ?? outputsOf(step);
    const state = `${markOf(step.state)} ${wordOf(step.state)}`;
    return `| ${inline(step.id)} | ${state} | ${inline(step.node ?? "")} | ${time} | ${
      inline(what)
    } |`;
  });
  const left = steps.length - MOST_ROWS;
  return [
    "| step | result | node | time | |",
    "| --- | --- | --- | ---: | --- |",
    ...rows,
    ...(left > 0 ? ["", `… and ${left} more steps in the report.`] : []),
  ].join("\n");
}

/** Numbers and short words, as the terminal's summary shows them. */
function outputsOf({ outputs }: StepDocument): string {
  return Object.entries(outputs)
    .map(([name, value]) => [name, value instanceof ExactNumber ? value.text : value] as const)
    .filter(([, value]) => typeof value !== "object" && `${value}`.length <= LONGEST_OUTPUT)
    .map(([name, value]) => `${name} = ${value}`).join(", ");
}

function tailOf(step: StepDocument, { tail }: MarkdownOptions): string[] {
  const lines = tail(step.id).map((line) => line.slice(0, LONGEST_LINE));
  if (lines.length === 0) return [];
  const text = lines.join("\n");
  // A fence longer than any in the text cannot be closed by it.
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return [
    `<details><summary>Last lines of ${
      inline(step.id)
    }</summary>\n\n${fence}text\n${text}\n${fence}\n\n</details>`,
  ];
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${wordOf(state)}`);
  return parts.join(", ") || "No steps";
}

function wordOf(state: string): string {
  return state.replaceAll("-", " ");
}

function isBad({ state }: StepDocument): boolean {
  return state === "failed" || state === "timed-out";
}

function markOf(state: RunDocument["result"] | StepDocument["state"]): string {
  if (state === "succeeded" || state === "reused") return "✅";
  return state === "failed" || state === "timed-out" ? "❌" : "⚪";
}

/** Signs of Markdown; `#` and `;` stand in what escapes them and mean nothing inside a line. */
const MARKS = /[\\`*_{}[\]()|~!:@$]/g;

/** Text that is nothing but text in a line or cell of Markdown. */
function inline(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  const cut = line.length > LONGEST_CELL ? `${line.slice(0, LONGEST_CELL)}…` : line;
  return escapeMarkup(cut).replaceAll(MARKS, (mark) => `&#${mark.charCodeAt(0)};`);
}
