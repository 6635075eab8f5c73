/** What one attempt of a step printed, followed while it runs. */
import { join } from "node:path";
import { nearest } from "../core/did_you_mean.ts";
import { GridError } from "../core/errors.ts";
import { why } from "../engine/resume/why.ts";
import { unkeptWords } from "../engine/unkept_output.ts";
import type { RunState, StepState } from "../engine/reduce.ts";
import { logNames } from "../report/log_names.ts";
import { filePath, type Frame, logPath, renderPage, runPath, wholeText } from "./layout.ts";
import { LogFollower, renderLog } from "./log_follower.ts";
import { type Markup, markup, NOTHING } from "./markup.ts";
import type { FoldedRun } from "./run_folds.ts";
import { stateWords } from "./runs_page.ts";

export interface LogPlace {
  readonly step: StepState;
  /** From 1. */
  readonly attempt: number;
  /** Below the run's folder. */
  readonly file: string;
  /** Whether the address says which attempt. */
  readonly isChosen: boolean;
}

/** @throws {GridError} `usage` for a step or attempt that the run does not have */
export function logPlace(state: RunState, id: string, attempt: string | null): LogPlace {
  const step = state.steps.get(id) ?? halfNamed(state, id);
  if (step === undefined) {
    const near = nearest(id, state.steps.keys());
    throw new GridError({
      code: "usage",
      message: `Cannot show logs of step "${id}": run ${state.run} has no such step`,
      hint: near === undefined ? undefined : `did you mean "${near}"?`,
    });
  }
  const made = Math.max(1, step.attempts.length);
  const number = attempt === null ? made : Number(attempt);
  if (!Number.isInteger(number) || number < 1 || number > made) {
    throw new GridError({
      code: "usage",
      message: `Cannot show attempt "${attempt}" of step "${id}": it made ${step.attempts.length}`,
    });
  }
  const name = logNames(state.steps.keys())(step.id, number);
  return { step, attempt: number, file: join("logs", name), isChosen: attempt !== null };
}

function halfNamed({ steps }: RunState, id: string): StepState | undefined {
  return [...steps.values()].find((step) => wholeText(step.id) === id);
}

export interface LogPageOptions {
  readonly frame: Frame;
  readonly folded: FoldedRun;
  readonly place: LogPlace;
  /** Absolute folder of the run. */
  readonly folder: string;
}

export async function logPage({ frame, folded, place, folder }: LogPageOptions): Promise<Markup> {
  const { state, isUnderWay } = folded;
  const { step, attempt, file, isChosen } = place;
  const isLive = isUnderWay && isGoingOn(place);
  const part = await new LogFollower(join(folder, file)).next();
  const here = logPath(state.run, step.id);
  const live = `${here}/events?${isChosen ? `attempt=${attempt}&` : ""}from=${part?.at ?? 0}`;
  const raw = part === undefined
    ? NOTHING
    : markup`<a href="${filePath(state.run, file)}">as a file</a>`;
  const unkept = unkeptWords(step.attempts[attempt - 1] ?? {});
  const isEmpty = part === undefined && !isLive;
  const note = unkept ?? (isEmpty ? "It printed nothing." : undefined);
  return renderPage(frame, {
    title: `${step.id} · ${state.pipeline}`,
    at: "runs",
    live: isLive ? live : undefined,
    main: markup`<p class="small"><a href="${
      runPath(state.run)
    }">${state.pipeline} ${state.run}</a></p>
<h1>${step.id}</h1>
${logHead(folded, place)}
<div class="actions">${attemptLinks(place, here)}${raw}</div>
${isEmpty ? NOTHING : renderLog(part)}
${note === undefined ? NOTHING : markup`<p class="soft">${note}</p>`}`,
  });
}

/** How the step stands, which is news when its log ends. */
export function logHead({ state, isUnderWay }: FoldedRun, { step, attempt }: LogPlace): Markup {
  const result = step.attempts[attempt - 1]?.result ?? step.status;
  const words = why(state, step.id, { underWay: isUnderWay });
  return markup`<p id="log-head" class="facts"><span>${
    stateWords(result)
  }</span><span>${words}</span></p>`;
}

function attemptLinks({ step, attempt }: LogPlace, here: string): Markup {
  if (step.attempts.length < 2) return NOTHING;
  const links = step.attempts.map((each) => {
    const current = each.attempt === attempt ? markup` aria-current="page"` : "";
    return markup`<a href="${here}?attempt=${each.attempt}"${current}>attempt ${each.attempt}</a>`;
  });
  return markup`<nav aria-label="Attempts">${links}</nav>`;
}

/** Whether more may come. */
export function isGoingOn({ step, attempt, isChosen }: LogPlace): boolean {
  if (step.status === "pending") return true;
  const result = step.attempts[attempt - 1]?.result;
  return step.status === "running" && (result === "running" || result === undefined || !isChosen);
}
