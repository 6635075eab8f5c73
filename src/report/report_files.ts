/** The reports of a run, made from its state: for programs, for CI, for people. */
import { join } from "node:path";
import { everythingElse } from "../core/turns.ts";
import type { TailOf } from "../engine/fingerprint.ts";
import type { RunState } from "../engine/reduce.ts";
import { writeAtomic } from "./atomic_file.ts";
import { cannot } from "./cannot.ts";
import { runDocument, type RunDocumentOptions } from "./document_writer.ts";
import { drawGraph, hasDrawing, loadSvg } from "./graph/drawing.ts";
import { htmlParts } from "./html.ts";
import { contentPolicy } from "./html_policy.ts";
import { jsonParts } from "./json.ts";
import { planExcerpts } from "./log_excerpts.ts";
import { renderJunit } from "./junit.ts";
import { renderMarkdown } from "./markdown.ts";
import { bytesOf, type Part } from "./page_part.ts";
import type { RunDocument, StepDocument } from "./run_document.ts";
import { type DraftOptions, StepDrafts } from "./step_drafts.ts";
import { readTails } from "./tail.ts";

export interface ReportFilesOptions extends RunDocumentOptions {
  /** Absolute folder of the run. */
  readonly folder: string;
  /** The disk is full: what was kept back must do for all reports. */
  readonly isFull?: () => boolean;
  /** What an attempt printed, where that is little and at hand. */
  readonly keptLog?: (step: string, attempt: number) => Uint8Array | undefined;
  /** What was made of steps as they ended. */
  readonly drafts?: StepDrafts | undefined;
  /** Told when something cannot be written. */
  readonly warn?: (message: string) => void;
}

export function createDrafts(options: DraftOptions): StepDrafts {
  return new StepDrafts(options);
}

/** Reports of fewer steps are made sooner than they are rehearsed. */
const FEW_STEPS = 10;
/** Steps after which V8 runs what makes the reports as it will run it for thousands. */
const ENOUGH_TO_LEARN = 50;

/**
 * Makes all reports once of a few steps, for nobody: what code Deno has to compile for them it compiles
 * now, while jobs run, and not when everybody waits for the end.
 */
export async function rehearseReports(state: RunState): Promise<void> {
  if (state.steps.size < FEW_STEPS) return;
  const report = runDocument(sampleOf(state), { logOf: () => null, transports: [] });
  const tail = () => [];
  const policy = await contentPolicy();
  const files: (() => readonly Part[])[] = [
    () => jsonParts(report),
    () => [renderJunit(report, { tail }), renderMarkdown(report, { tail })],
    () =>
      htmlParts(report, {
        ...{ tail, policy, graph: "" },
        logOf: planExcerpts(report, { folder: "" }).of,
      }),
  ];
  for (const render of files) {
    await everythingElse();
    bytesOf(render());
  }
  if (hasDrawing([...state.steps.values()])) await loadSvg();
}

/** The run as if its first step with a job had gone well, and all its others were the same. */
function sampleOf(state: RunState): RunState {
  const [step] = [...state.steps.values()].filter(({ attempts }) => attempts.length > 0);
  if (step === undefined) return { ...state, steps: new Map() };
  const over = { result: "succeeded", finishedAt: state.startedAt, durationMs: 1 } as const;
  const attempts = step.attempts.map((attempt) => ({ ...attempt, ...over }));
  const { result: status, ...times } = over;
  // Of no group, and after nothing: one of the names is that of its group, or its own need.
  const alone = { ...step, ...times, status, attempts, group: undefined, needs: [], after: [] };
  const ids = [...state.steps.keys()].slice(0, ENOUGH_TO_LEARN);
  return { ...state, ...over, steps: new Map(ids.map((id) => [id, { ...alone, id }])) };
}

/** Bytes of logs in a page on a full disk. */
const BYTES_WHEN_FULL = 16 * 1024;

export async function writeReports(state: RunState, options: ReportFilesOptions): Promise<void> {
  const tails = await readTails(state, { ...options, folder: options.folder });
  const tail = (step: string) => tails.get(step) ?? [];
  const { drafts } = options;
  const report = runDocument(state, {
    ...options,
    tail,
    ...(drafts && { documentOf: (step, at) => drafts.documentOf(step, at) }),
  });
  write("report.json", () => jsonParts(report, drafts?.jsonOf(report.steps)), options);
  // By now nodes have answered, and go away while the rest is written.
  await everythingElse();
  const caseOf = (step: StepDocument) => drafts?.caseOf(step);
  write("junit.xml", () => [renderJunit(report, { tail, caseOf })], options);
  write("summary.md", () => [renderMarkdown(report, { tail })], options);
  await everythingElse();
  await writePage(report, { ...options, tail });
}

async function writePage(
  report: RunDocument,
  { tail, ...options }: ReportFilesOptions & { readonly tail: TailOf },
): Promise<void> {
  const graph = await graphOf(report, options);
  const policy = await contentPolicy();
  const bounds = options.isFull?.() ? { bytes: BYTES_WHEN_FULL } : {};
  const render = () => {
    const plan = planExcerpts(report, { ...options, ...bounds });
    const { drafts } = options;
    return htmlParts(report, {
      ...{ tail, graph, policy, logOf: plan.of },
      draftOf: (step, isDrawn) => drafts?.markupOf(step, { plan, isDrawn }),
    });
  };
  write("report.html", render, options);
}

/** One file that cannot be made must not keep the others from being written: the run has its result. */
function write(
  name: string,
  render: () => readonly Part[],
  { folder, warn }: ReportFilesOptions,
): void {
  try {
    writeAtomic(join(folder, name), bytesOf(render()));
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
