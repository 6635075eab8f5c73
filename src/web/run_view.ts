/** A run as its report would say it now, and what of that is drawn rather than written. */
import type { RunState, StepState } from "../engine/reduce.ts";
import { runDocument } from "../report/document_writer.ts";
import { drawBars, renderAxis } from "../report/gantt.ts";
import { drawGraph } from "../report/graph/drawing.ts";
import { GRAPH_STYLE } from "../report/graph/svg_style.ts";
import { anchorsOf, section } from "../report/html_parts.ts";
import { renderSlow } from "../report/html_slow.ts";
import type { RunDocument, StepDocument } from "../report/run_document.ts";
import { timingOf } from "../report/timing.ts";
import type { RunFolds } from "./run_folds.ts";
import type { Tails } from "./tails.ts";

export type FoldedRun = ReturnType<RunFolds["of"]>;

/** What changes as time goes by, even where nothing happens; made anew less often than all else. */
export interface Drawings {
  /** By the place of a step in the run, from 0. */
  readonly bars: readonly string[];
  readonly axis: string;
  readonly legend: string;
  /** Why it takes so long; empty where nothing took any time yet. */
  readonly slow: string;
  /** Empty where the list of steps says as much. */
  readonly graph: string;
}

export interface RunView {
  readonly folded: FoldedRun;
  readonly report: RunDocument;
  readonly drawings: Drawings;
  /** Last lines of steps that failed, without colours. */
  readonly tail: (step: string) => readonly string[];
}

export interface ViewOptions {
  readonly tails: Tails;
  /** Absolute folder of the run. */
  readonly folder: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Made before, where they will do. */
  readonly drawings?: Drawings | undefined;
}

export async function viewRun(
  folded: FoldedRun,
  { tails, folder, now, drawings }: ViewOptions,
): Promise<RunView> {
  const { state, stoppedAt } = folded;
  const tail = await tails.of(state, folder);
  const report = runDocument(state, {
    logOf: () => null,
    transports: [],
    stoppedAt,
    tail,
    documentOf: (step) => documents.get(step),
  });
  if (stoppedAt === undefined) keepDocuments(state, report.steps);
  const nowMs = (stoppedAt ?? now) - state.startedAt;
  return { folded, report, tail, drawings: drawings ?? await drawRun(report, nowMs) };
}

/** Of steps that are over: a state that did not change is the same object. */
const documents = new WeakMap<StepState, StepDocument>();

function keepDocuments({ steps }: RunState, made: readonly StepDocument[]): void {
  let at = 0;
  for (const step of steps.values()) {
    const document = made[at++];
    if (document && step.finishedAt !== undefined) documents.set(step, document);
  }
}

/** @param nowMs since the run's beginning: as long is drawn what has no end */
async function drawRun(report: RunDocument, nowMs: number): Promise<Drawings> {
  const timing = timingOf(report, { nowMs });
  const bars = drawBars(timing);
  return {
    bars: report.steps.map((step) => bars.of(step)),
    legend: bars.legend(),
    axis: renderAxis(timing),
    slow: section(
      "Where the time went",
      "time",
      renderSlow(report, { timing, anchorOf: anchorsOf(report) }),
    ),
    // Its looks are among the page's: a style that comes with news would not be obeyed.
    graph: (await drawGraph(report)).replace(`<style>${GRAPH_STYLE}</style>`, ""),
  };
}
