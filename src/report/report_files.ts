/** The reports of a run, made from its state: for programs, for CI, for people. */
import { join } from "node:path";
import { lazy } from "../core/lazy.ts";
import type { TailOf } from "../engine/fingerprint.ts";
import type { RunState } from "../engine/state.ts";
import { writeAtomic } from "./atomic_file.ts";
import { cannot } from "./cannot.ts";
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
  /** The disk is full: what was kept back must do for all reports. */
  readonly isFull?: () => boolean;
  /** What an attempt printed, where that is little and at hand. */
  readonly keptLog?: (step: string, attempt: number) => Uint8Array | undefined;
  /** Told when something cannot be written. */
  readonly warn?: (message: string) => void;
}

/** Bytes of logs in a page on a full disk. */
const BYTES_WHEN_FULL = 16 * 1024;

export async function writeReports(state: RunState, options: ReportFilesOptions): Promise<void> {
  const tails = await readTails(state, { ...options, folder: options.folder });
  const tail = (step: string) => tails.get(step) ?? [];
  const report = runDocument(state, { ...options, tail });
  // While one is on its way to the disk, the next is made.
  await Promise.all([
    write("report.json", () => renderJson(report), options),
    write("junit.xml", () => renderJunit(report, { tail }), options),
    write("summary.md", () => renderMarkdown(report, { tail }), options),
    writePage(report, { ...options, tail }),
  ]);
}

async function writePage(
  report: RunDocument,
  { tail, ...options }: ReportFilesOptions & { readonly tail: TailOf },
): Promise<void> {
  const graph = await graphOf(report, options);
  const bounds = options.isFull?.() ? { bytes: BYTES_WHEN_FULL } : {};
  const render = () =>
    renderHtml(report, { tail, graph, logOf: readExcerpts(report, { ...options, ...bounds }) });
  await write("report.html", render, options);
}

export function renderJson(report: RunDocument): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** One file that cannot be made must not keep the others from being written: the run has its result. */
async function write(
  name: string,
  render: () => string,
  { folder, warn }: ReportFilesOptions,
): Promise<void> {
  try {
    await writeAtomic(join(folder, name), render());
  } catch (error) {
    const isOfSystem = error instanceof Error && "code" in error;
    if (warn === undefined && !isOfSystem) throw error;
    warn?.(cannot(`write ${name} of the run`, error));
  }
}

/** A page without its drawing is still a page. */
async function graphOf(report: RunDocument, { warn }: ReportFilesOptions): Promise<string> {
  try {
    return await drawGraph(report);
  } catch (error) {
    if (warn === undefined) throw error;
    warn(cannot("draw the graph in report.html of the run", error));
    return "";
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
