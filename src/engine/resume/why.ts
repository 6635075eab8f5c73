/** `grid why RUN [STEP]`: one sentence on what became of a step, or of the run, and why. Pure. */
import { nearest } from "../../core/did_you_mean.ts";
import { formatDuration } from "../../core/duration.ts";
import { GridError } from "../../core/errors.ts";
import { isTakenOver, reasonToHaveRun } from "./reasons.ts";
import type { AttemptState, RunState, StepState } from "../reduce.ts";

export interface WhyOptions {
  /** False where the runner was killed, so that a run without an end does not go on. */
  readonly underWay?: boolean;
  /** How long ago a step said this in ms; undefined where nobody knows. */
  readonly saidAgoMs?: (step: string, message: string) => number | undefined;
}

/** @throws {GridError} `usage` for a step that the run does not have */
export function why(state: RunState, id: string, options: WhyOptions = {}): string {
  const { underWay = state.result === "running" } = options;
  const step = state.steps.get(id);
  if (!step) throw unknownStep(state, id);
  switch (step.status) {
    case "pending":
      return `${id} has not started: ${
        underWay ? waitingFor(state, step) : "the run ended before its turn"
      }`;
    case "running":
      if (step.node === undefined && underWay) {
        const line = lineOf(state, id);
        if (line !== undefined) {
          return `${id} waits: ${line}${agoWords(options.saidAgoMs?.(id, line))}`;
        }
      }
      return `${id} runs${placeOf(step)}${attemptOf(step)}${
        underWay ? "" : ", as far as its run could see"
      }${takenOver(step)}${uncachedOf(step)}${reasonOf(state, step)}`;
    case "reused":
    case "skipped":
      return `${id} was ${step.status}: ${step.reason ?? "no reason was recorded"}`;
    case "cancelled":
      return `${id} was cancelled${timeOf(step)}: ${step.reason ?? "the run was told to stop"}`;
    case "succeeded":
      return `${id} ran${placeOf(step)} and succeeded${timeOf(step)}${retriesOf(step)}${
        takenOver(step)
      }${againOf(step)}${uncachedOf(step)}${reasonOf(state, step)}`;
    case "failed":
    case "timed-out":
      return `${id} ${verb(step)}${placeOf(step)}${timeOf(step)}${causeOf(step)}${retriesOf(step)}${
        takenOver(step)
      }${notRetriedOf(step)}${againOf(step)}${uncachedOf(step)}${reasonOf(state, step)}`;
    case "allowed-failure":
      return `${id} failed${placeOf(step)}, which allow-failure permits${causeOf(step)}${
        retriesOf(step)
      }`;
  }
}

/** What there is to say of the run where no step was named: how it failed, or what it does and waits for. */
export function whyRun(state: RunState, options: WhyOptions = {}): string {
  const { underWay = state.result === "running" } = options;
  const steps = [...state.steps.values()].filter(({ kind }) => kind !== "group");
  const { firstFailure, skipped } = state;
  if (firstFailure !== undefined) {
    return why(state, firstFailure, options);
  }
  if (skipped !== undefined) return `run ${state.run} did nothing: ${skipped}`;
  if (underWay || state.result === "running") {
    if (!underWay) {
      return `run ${state.run} stands still: its runner is gone; grid resume ${state.run} goes on with it`;
    }
    const running = steps.filter(({ status }) => status === "running");
    const [open] = steps.filter(({ status }) => status === "pending");
    const told = running.length > 0 ? running : open ? [open] : [];
    const more = told.length > MOST_STEPS ? `; and ${told.length - MOST_STEPS} more` : "";
    return told.slice(0, MOST_STEPS).map(({ id }) => why(state, id, options)).join("; ") + more ||
      `run ${state.run} is about to end`;
  }
  const stopped = steps.find(({ status }) => status === "cancelled");
  if (stopped !== undefined) return why(state, stopped.id, options);
  return `run ${state.run} ${state.result}: no step of it failed`;
}

/** What to do about the failure that `why` or `whyRun` tells; undefined where nothing is known. */
export function whyHint(state: RunState, id = state.firstFailure): string | undefined {
  const step = id === undefined ? undefined : state.steps.get(id);
  return step?.status === "failed" || step?.status === "timed-out" ? step.failure?.hint : undefined;
}

/** Its place in the line before a node's GPUs, as it was told last. */
function lineOf(state: RunState, id: string): string | undefined {
  const words = state.warnings.findLast((warning) => warning.startsWith(`${id}: `));
  const said = words?.slice(id.length + 2);
  return said !== undefined && / in line for |^waits /.test(said) ? said : undefined;
}

/** What was a moment ago is so now. */
const RECENT_MS = 5000;

/** It is told again when its place changes; "for 3.0s" in it was true then. */
function agoWords(ms: number | undefined): string {
  if (ms === undefined || ms < RECENT_MS) return "";
  return `; so it was ${formatDuration(1000 * Math.round(ms / 1000))} ago, now: grid queue`;
}

function verb(step: StepState): string {
  return step.status === "failed" ? "failed" : "timed out";
}

/** Steps of a run that is under way that are told of. */
const MOST_STEPS = 4;
/** Names of many nodes are no sentence. */
const MOST_NAMES = 8;

function placeOf({ node, attempts }: StepState): string {
  const names = attempts.at(-1)?.ranks?.map((rank) => rank.node) ?? [];
  if (names.length > MOST_NAMES) return ` on ${names.length} nodes`;
  if (names.length > 1) return ` on ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return node === undefined ? "" : ` on ${node}`;
}

function timeOf({ durationMs }: StepState): string {
  return durationMs === undefined ? "" : ` after ${formatDuration(durationMs)}`;
}

function causeOf({ failure, reason }: StepState): string {
  const cause = failure?.message ?? reason;
  return cause === undefined ? "" : `: ${cause}`;
}

/** In a resumed run: why the earlier result did not stand. */
function againOf({ because }: StepState): string {
  return because === undefined ? "" : `; done because ${because}`;
}

function uncachedOf({ uncached }: StepState): string {
  return uncached === undefined ? "" : `; cache not used, because ${uncached}`;
}

/** What let it run after a failure, or at all. */
function reasonOf(state: RunState, step: StepState): string {
  if (step.kind === "group") return "";
  const reason = reasonToHaveRun(state, step);
  return reason === undefined ? "" : `; ${reason}`;
}

/** Nobody saw when a job ended that was taken over after its end: the time is the most it can be. */
function takenOver(step: StepState): string {
  if (!isTakenOver(step) || !step.takenOver) return "";
  const { run, since } = step.takenOver;
  const end = step.finishedAt;
  const took = end === undefined ? "" : `, ${formatDuration(end - since)} before its end was seen`;
  return `; its job was taken over from run ${run}, which started it${took}`;
}

function attemptOf({ attempts }: StepState): string {
  const last = attempts.at(-1);
  return last === undefined || last.attempt === 1 ? "" : `, attempt ${last.attempt}`;
}

/** `; attempt 3, after "exit code 1" (waited 2.0s), "lost" (waited 4.0s)`. */
function retriesOf({ attempts }: StepState): string {
  const before = attempts.slice(0, -1);
  const last = attempts.at(-1);
  if (before.length === 0 || !last) return "";
  return `; attempt ${last.attempt}, after ${before.map(retryOf).join(", ")}`;
}

function notRetriedOf({ attempts }: StepState): string {
  const reason = attempts.at(-1)?.notRetried;
  return reason === undefined ? "" : `; not retried, because ${reason}`;
}

function retryOf({ failure, result, node, retryInMs }: AttemptState): string {
  const cause = failure?.message ?? result;
  const place = node === undefined ? "" : ` on ${node}`;
  const wait = retryInMs === undefined ? "" : ` (waited ${formatDuration(retryInMs)})`;
  return `"${cause}"${place}${wait}`;
}

function waitingFor(state: RunState, { needs, after, group }: StepState): string {
  if (state.queue) {
    const { group: name, ahead } = state.queue;
    const runs = `${ahead.length === 1 ? "run" : "runs"} ${ahead.join(", ")}`;
    return `its run waits in concurrency group "${name}" for ${runs}`;
  }
  const before = [...needs, ...after, ...(group === undefined ? [] : [group])];
  const open = before.filter((id) => {
    const status = state.steps.get(id)?.status;
    return status === "pending" || (status === "running" && id !== group);
  });
  return open.length === 0 ? "it waits for its turn" : `it waits for ${open.join(", ")}`;
}

function unknownStep(state: RunState, id: string): GridError {
  const ids = [...state.steps.keys()];
  const near = nearest(id, ids);
  return new GridError({
    code: "usage",
    message: `Cannot say why: run ${state.run} has no step "${id}"`,
    hint: near === undefined ? `its steps are: ${ids.join(", ")}` : `did you mean "${near}"?`,
  });
}
