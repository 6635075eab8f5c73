/** `report.html`: one file that opens anywhere, without a network and without a script. */
import { ExactNumber } from "../core/exact_number.ts";
import { formatDuration } from "../core/duration.ts";
import { formatSize } from "../core/size.ts";
import { renderGantt } from "./gantt.ts";
import { failureSection, type TailOf } from "./html_failures.ts";
import { STYLE } from "./html_style.ts";
import { renderSteps } from "./html_steps.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { RunDocument } from "./run_document.ts";

export interface HtmlOptions {
  readonly tail: TailOf;
  /** SVG of the steps; empty where there is none. */
  readonly graph: string;
}

export function renderHtml(report: RunDocument, options: HtmlOptions): string {
  const sections = [
    failureSection(report, options.tail),
    section("Results", outputTable(report)),
    section("Timeline", renderGantt(report)),
    section("Graph", options.graph),
    section("Steps", renderSteps(report)),
    section("Warnings", list(report.warnings)),
    section("Inputs", inputTable(report)),
    section("Nodes", transportTable(report)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(report.pipeline)} ${report.result} · ${text(report.run)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${header(report)}
${sections.filter((part) => part !== "").join("\n")}
</main>
<footer>Grid ${
    text(report.gridVersion)
  } · <a href="report.json">report.json</a> · <a href="junit.xml">junit.xml</a> · <a href="events.jsonl">events.jsonl</a></footer>
</body>
</html>
`;
}

function header(report: RunDocument): string {
  const duration = report.durationMs === null ? "unfinished" : formatDuration(report.durationMs);
  const hooks = countWords(report.hookCounts);
  const counts = `${countWords(report.counts)}${hooks === "" ? "" : `hooks: ${hooks}`}`;
  const facts = [
    fact("run", text(report.run)),
    ...(report.file === "" ? [] : [fact("file", text(report.file))]),
    fact("started", report.startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")),
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

function section(title: string, inner: string): string {
  return inner === "" ? "" : `<section>\n<h2>${title}</h2>\n${inner}\n</section>`;
}

/** Numbers and short words that steps computed. */
function outputTable(report: RunDocument): string {
  const rows = report.steps.filter(({ kind }) => kind !== "select-node" && kind !== "sync")
    .flatMap((step) =>
      Object.entries(step.outputs)
        .filter(([name, value]) =>
          (typeof value !== "object" || value === null || value instanceof ExactNumber) &&
          !(step.kind === "ray-batch" && name === "file")
        )
        .map(([name, value]) => [`${step.id}.${name}`, shortened(String(value))])
    );
  return table({ heads: [], rows: [...rows, ...busyRows(report)], name: "pairs" }) +
    filedList(report);
}

/** How long the batches of a step have kept each GPU. */
function busyRows(report: RunDocument): readonly (readonly string[])[] {
  return report.steps.flatMap(({ id, attempts }) => {
    const busy = Object.entries(attempts.at(-1)?.batch?.busyMs ?? {});
    return busy.map(([gpu, ms]) => [`${id}: ${gpu} busy`, formatDuration(ms)]);
  });
}

/** Lists too long for a page, each as a link; folders of runs lie side by side. */
function filedList(report: RunDocument): string {
  const items = report.steps.flatMap((step) =>
    Object.entries(step.filed).map(([name, { run, file, items, bytes }]) => {
      const path = `${run === report.run ? "" : `../${run}/`}results/${file}`;
      const size = `${items.toLocaleString("en")} values, ${formatSize(bytes)}`;
      const link = `<a href="${text(encodeURI(path))}">${text(file)}</a>`;
      return `<li>${text(`${step.id}.${name}`)}: ${size}, ${link}</li>`;
    })
  );
  return items.length === 0 ? "" : `<ul>${items.join("")}</ul>`;
}

function inputTable(report: RunDocument): string {
  const rows = Object.entries(report.inputs).map(([name, value]) => [
    name,
    shortened(typeof value === "string" ? value : JSON.stringify(value)),
  ]);
  return table({ heads: [], rows, name: "pairs" });
}

function transportTable(report: RunDocument): string {
  const rows = report.transports.map((each) => [
    each.node,
    String(each.handshakes),
    String(each.reconnects),
    String(each.channels),
    formatSize(each.bytesSent),
    formatSize(each.bytesReceived),
    each.roundTripMs === null ? "" : `${each.roundTripMs.toFixed(1)} ms`,
  ]);
  const heads = ["node", "handshakes", "reconnects", "channels", "sent", "received", "round trip"];
  return table({ heads, rows, name: "nodes" });
}

interface HtmlTable {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly name: string;
}

function table({ heads, rows, name }: HtmlTable): string {
  if (rows.length === 0) return "";
  const cells = heads.map((title) => `<th>${title}</th>`).join("");
  const head = heads.length === 0 ? "" : `<thead><tr>${cells}</tr></thead>`;
  const body = rows.map((row) =>
    `<tr>${row.map((cell) => `<td>${text(cell)}</td>`).join("")}</tr>`
  );
  return `<table class="${name}">${head}<tbody>\n${body.join("\n")}\n</tbody></table>`;
}

function list(items: readonly string[]): string {
  if (items.length === 0) return "";
  return `<ul>${items.map((item) => `<li>${text(item)}</li>`).join("")}</ul>`;
}

const LONGEST_VALUE = 400;

function shortened(value: string): string {
  return value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value;
}
