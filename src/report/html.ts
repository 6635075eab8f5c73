/** `report.html`: one file that opens anywhere, without a network; its script only adds comfort. */
import { formatDuration } from "../core/duration.ts";
import { failureSection, type TailOf } from "./html_failures.ts";
import { type AnchorOf, anchorsOf, section } from "./html_parts.ts";
import { renderRan, renderWarnings } from "./html_ran.ts";
import { renderSlow } from "./html_slow.ts";
import { contentPolicy } from "./html_policy.ts";
import { SCRIPT } from "./html_script.ts";
import { STYLE } from "./html_style.ts";
import { renderSteps, type StepsOptions } from "./html_steps.ts";
import { renderSweeps } from "./html_sweep.ts";
import { renderInputs, renderOutputs, renderTransports } from "./html_tables.ts";
import type { LogOf } from "./log_excerpts.ts";
import { escapeMarkup as text } from "./markup.ts";
import { type Part, textOf } from "./page_part.ts";
import type { RunDocument } from "./run_document.ts";
import { type Timing, timingOf } from "./timing.ts";

export interface HtmlOptions {
  readonly tail: TailOf;
  /** SVG of the steps; empty where there is none. */
  readonly graph: string;
  /** What the page may do: `contentPolicy()`. */
  readonly policy: string;
  /** What the page holds of the logs; default: nothing, only links to them. */
  readonly logOf?: LogOf;
  /** What was made of a step before. */
  readonly draftOf?: StepsOptions["draftOf"];
}

export async function renderHtml(
  report: RunDocument,
  options: Omit<HtmlOptions, "policy">,
): Promise<string> {
  return textOf(htmlParts(report, { ...options, policy: await contentPolicy() }));
}

export function htmlParts(report: RunDocument, options: HtmlOptions): Part[] {
  return [
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${options.policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(report.pipeline)} ${report.result} · ${text(report.run)}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#steps">Skip to the steps</a>
<main>
${renderHeader(report)}
`,
    ...bodyParts(report, options),
    `
</main>
<footer>Grid ${
      text(report.gridVersion)
    } · <a href="report.json">report.json</a> · <a href="junit.xml">junit.xml</a> · <a href="events.jsonl">events.jsonl</a></footer>
<script>${SCRIPT}</script>
</body>
</html>
`,
  ];
}

function bodyParts(
  report: RunDocument,
  { tail, graph, logOf = () => undefined, draftOf }: HtmlOptions,
): Part[] {
  const anchorOf: AnchorOf = anchorsOf(report);
  const timing: Timing = timingOf(report);
  const above = [
    failureSection(report, { tail, anchorOf }),
    section("Where the time went", "time", renderSlow(report, { timing, anchorOf })),
    section("Warnings", "warnings", renderWarnings(report)),
    section("Sweep", "sweep", renderSweeps(report, anchorOf)),
    section("Results", "results", renderOutputs(report)),
    section("Graph", "graph", graph === "" ? "" : graphBox(graph)),
  ];
  const below = [
    section("Inputs", "inputs", renderInputs(report)),
    section("What ran", "ran", renderRan(report, { anchorOf })),
    section("Connections", "connections", renderTransports(report)),
  ];
  // A page of thousands of steps is mostly these.
  const [before = "", after = ""] = section("Steps", "steps", `${TOOLS}${STEPS}`).split(STEPS);
  const steps = renderSteps(report, { timing, anchorOf, logOf, draftOf });
  return [
    ...lines(above).map((one) => `${one}\n`),
    ...(steps.length === 0 ? [] : [before, ...steps, `${after}\n`]),
    lines(below).join("\n"),
  ];
}

function lines(sections: readonly string[]): string[] {
  return sections.filter((part) => part !== "");
}

/** Stands in their place while what is around them is made. */
const STEPS = "\0steps";

/** Of no use without the script, which shows and fills them. */
const TOOLS = `<div class="tools" id="tools" hidden>
<label class="search"><span class="unseen">Search steps and logs</span><input id="search" type="search" placeholder="Search steps and logs" autocomplete="off" spellcheck="false"></label>
<span id="found" role="status"></span>
<span class="buttons" id="states"></span>
<span class="buttons"><button type="button" id="unfold">Unfold all</button></span>
</div>
`;

function graphBox(graph: string): string {
  return `<div class="wide" role="region" aria-label="Graph of the steps" tabindex="0">${graph}</div>`;
}

function renderHeader(report: RunDocument): string {
  const duration = report.durationMs === null ? "unfinished" : formatDuration(report.durationMs);
  const hooks = countWords(report.hookCounts);
  const counts = `${countWords(report.counts)}${hooks === "" ? "" : `hooks: ${hooks}`}`;
  const { runner } = report;
  const facts = [
    fact("run", text(report.run)),
    ...(report.file === "" ? [] : [fact("file", text(report.file))]),
    fact("started", report.startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")),
    ...(runner === null ? [] : [fact("by", text(`${runner.user}@${runner.host}`))]),
    ...(report.resumes === null ? [] : [fact("resumes", earlierReport(report.resumes))]),
    ...(report.exitCode === null ? [] : [fact("exit code", String(report.exitCode))]),
  ];
  return `<header>
<h1><span class="badge ${report.result}">${report.result}</span> ${
    text(report.pipeline)
  } <span class="took">${duration}</span></h1>
<p class="facts">${facts.join("")}</p>
<p class="counts">${counts}</p>
</header>`;
}

function countWords(counts: RunDocument["counts"]): string {
  return Object.entries(counts).map(([state, count]) =>
    `<span class="count"><i class="dot ${state}"></i>${count} ${text(state)}</span>`
  ).join("");
}

function fact(name: string, markup: string): string {
  return `<span>${name} <b>${markup}</b></span>`;
}

/** Folders of runs lie side by side. */
function earlierReport(run: string): string {
  return `<a href="../${encodeURIComponent(run)}/report.html">${text(run)}</a>`;
}
