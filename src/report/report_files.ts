/** The reports of a run, made from its state: for programs, for CI, for people. */
import { join } from "node:path";
import { lazy } from "../core/lazy.ts";
import type { RunState } from "../engine/state.ts";
import { writeAtomic } from "./atomic_file.ts";
import { runDocument, type RunDocumentOptions } from "./document_writer.ts";
import { renderHtml } from "./html.ts";
import { readExcerpts } from "./log_excerpts.ts";
import { renderJunit } from "./junit.ts";
import { renderMarkdown } from "./markdown.ts";
import type { RunDocument } from "./run_document.ts";
import { readTails } from "./tail.ts";

export interface ReportFilesOptions extends RunDocumentOptions {
  /** Absolute folder of the run. */
  readonly folder: string;
  /** What an attempt printed, where that is little and at hand. */
  readonly keptLog?: (step: string, attempt: number) => Uint8Array | undefined;
  /** Told when something cannot be written. */
  readonly warn?: (message: string) => void;
}

export async function writeReports(state: RunState, options: ReportFilesOptions): Promise<void> {
  const tails = await readTails(state, { ...options, folder: options.folder });
  const tail = (step: string) => tails.get(step) ?? [];
  const report = runDocument(state, { ...options, tail });
  // While one is on its way to the disk, the next is made.
  const writing = [write("report.json", renderJson(report), options)];
  writing.push(write("junit.xml", renderJunit(report, { tail }), options));
  writing.push(write("summary.md", renderMarkdown(report, { tail }), options));
  const graph = await drawGraph(report);
  const page = renderHtml(report, { tail, graph, logOf: readExcerpts(report, options) });
  writing.push(write("report.html", page, options));
  await Promise.all(writing);
}

export function renderJson(report: RunDocument): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** One file that cannot be written must not keep the others from being written. */
async function write(
  name: string,
  text: string,
  { folder, warn }: ReportFilesOptions,
): Promise<void> {
  try {
    await writeAtomic(join(folder, name), text);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    warn?.(`Cannot write ${name} of the run: ${error.message}`);
  }
}

/** Beyond this a drawing says less than the timeline. */
const MOST_DRAWN = 60;

/** Empty where there is nothing to see: a single step, no arrow, or too many. */
async function drawGraph(report: RunDocument): Promise<string> {
  const steps = report.steps.filter(({ hook }) => hook === null);
  const hasArrows = steps.some((step) => step.needs.length + step.after.length > 0);
  if (!hasArrows || steps.length > MOST_DRAWN) return "";
  const { renderSvg } = await lazy<typeof import("./graph/svg.ts")>(
    "./graph/svg.ts",
    import.meta.url,
  );
  return renderSvg(steps);
}
