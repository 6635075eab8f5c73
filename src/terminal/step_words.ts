/** How a step and what happened in it are put into words; the same for frame, lines and summary. */
import { formatDuration } from "../core/duration.ts";
import { formatSize } from "../core/size.ts";
import type {
  BatchProgressed,
  DataFinished,
  Failure,
  FetchFinished,
  SyncFinished,
  SyncProgressed,
} from "../engine/event.ts";
import { isLate } from "../engine/fingerprint.ts";
import type { AttemptState, StepState } from "../engine/reduce.ts";
import { oneLine } from "./harmless.ts";
import type { Hue } from "./style.ts";

export type Status = StepState["status"];

interface StatusLook {
  /** One column wide. */
  readonly mark: string;
  readonly hue: Hue;
  readonly word: string;
}

const LOOKS: Readonly<Record<Status, StatusLook>> = {
  "pending": { mark: "·", hue: "dim", word: "waiting" },
  "running": { mark: "▸", hue: "cyan", word: "running" },
  "succeeded": { mark: "✔", hue: "green", word: "succeeded" },
  "failed": { mark: "✖", hue: "red", word: "failed" },
  "allowed-failure": { mark: "!", hue: "yellow", word: "failed as allowed" },
  "timed-out": { mark: "✖", hue: "red", word: "timed out" },
  "cancelled": { mark: "■", hue: "yellow", word: "cancelled" },
  "skipped": { mark: "–", hue: "dim", word: "skipped" },
  "reused": { mark: "↺", hue: "green", word: "reused" },
};

/** From what went well to what never began; for counts. */
export const STATUSES: readonly Status[] = [
  "succeeded",
  "reused",
  "failed",
  "timed-out",
  "allowed-failure",
  "cancelled",
  "skipped",
  "running",
  "pending",
];

/** Of what was under way when its runner died: nobody knows what became of it. */
const STOPPED: StatusLook = { mark: "■", hue: "yellow", word: "stopped" };

interface LookOptions {
  /** Nobody is at the run any more, and it has no end. */
  readonly stopped?: boolean | undefined;
}

export function lookOf(status: Status, { stopped = false }: LookOptions = {}): StatusLook {
  return stopped && status === "running" ? STOPPED : LOOKS[status];
}

/** States in which the step's own work went wrong. */
export function isBad(status: Status): boolean {
  return status === "failed" || status === "timed-out";
}

/** States in which the step did nothing, or was not allowed to finish. */
export function isIdle(status: Status): boolean {
  return status === "skipped" || status === "cancelled" || status === "pending";
}

/** Nodes the last attempt touched: where it ran, or every node it synced to. */
export function nodesOf(step: StepState): string {
  const ranks = step.attempts.at(-1)?.ranks ?? [];
  if (ranks.length > 3) return `${ranks.length} nodes`;
  if (ranks.length > 1) return ranks.map(({ node }) => node).join(", ");
  const synced = step.attempts.at(-1)?.syncs.map((sync) => sync.node) ?? [];
  if (synced.length === 0) return step.node ?? "";
  return synced.length > 3 ? `${synced.length} nodes` : synced.join(", ");
}

/**
 * Milliseconds from the first attempt's start to the end, or while it runs to now.
 *
 * @param elapsedMs between the run's beginning and now
 */
export function durationOf(step: StepState, elapsedMs: number): number | undefined {
  if (step.durationMs !== undefined) return step.durationMs;
  return step.afterMs === undefined ? undefined : Math.max(0, elapsedMs - step.afterMs);
}

/** What is worth saying about a step that is over, unless `teller` has said it. */
export function resultWords(step: StepState, teller: StepState | undefined): string {
  const attempts = step.attempts.length;
  const parts = [
    ...(teller ? [`as ${teller.id}`] : step.failure ? [failureWords(step.failure)] : []),
    ...(step.reason === undefined || step.reason === step.failure?.message
      ? []
      : [oneLine(step.reason)]),
    ...(attempts > 1 ? [`attempt ${attempts}`] : []),
    ...workWords(step.attempts.at(-1)),
  ];
  if (step.kind === "select-node" && typeof step.outputs["node"] === "string") {
    parts.push(`chose ${step.outputs["node"]}`);
  }
  return parts.join(" · ");
}

/**
 * The first of the steps that failed for the very same reason, where that is none of the step's own: a node that
 * cannot be used stands in the way of a whole matrix. Undefined where the step itself is that first one.
 */
export function tellerOf(step: StepState, steps: Iterable<StepState>): StepState | undefined {
  const { failure } = step;
  if (failure === undefined || !isOfOthers(failure)) return undefined;
  for (const other of steps) {
    if (other.id === step.id) return undefined;
    if (other.failure && isOfOthers(other.failure) && other.failure.message === failure.message) {
      return other;
    }
  }
}

/** The same at the moment when the step ends: whoever has failed before, wherever it stands. */
export function earlierTeller(step: StepState, steps: Steps): StepState | undefined {
  if (step.failure === undefined) return undefined;
  return tellerOf(step, steps.values().filter(({ id }) => id !== step.id));
}

type Steps = ReadonlyMap<string, StepState>;

/** Its command never began. */
function isOfOthers({ started, exitCode, signal }: Failure): boolean {
  return !started && exitCode === undefined && signal === undefined;
}

function workWords(attempt: AttemptState | undefined): string[] {
  if (!attempt) return [];
  return [
    ...(attempt.syncs.length > 0 ? [syncTotal(attempt.syncs)] : []),
    ...attempt.fetches.map(fetchWords),
    ...(attempt.data === undefined ? [] : [dataTotal(attempt.data)]),
    ...(attempt.batch ? [batchWords(attempt.batch)] : []),
  ];
}

/**
 * "exit code 1", "SIGKILL", or the message of a failure that has neither, and of a time limit that passed:
 * what a command ends with once it is told to stop is no cause.
 */
export function failureWords(failure: Failure): string {
  const { rank, node } = failure;
  if (isLate(failure)) return oneLine(failure.message);
  const who = rank === undefined ? "" : `rank ${rank} on ${node ?? "its node"}: `;
  if (failure.exitCode !== undefined) return `${who}exit code ${failure.exitCode}`;
  if (failure.signal !== undefined) return `${who}ended by ${failure.signal}`;
  return oneLine(failure.message);
}

export function syncWords(sync: SyncFinished): string {
  const deleted = sync.deleted > 0 ? `, ${sync.deleted} deleted` : "";
  const size = sync.sent > 0 ? `, ${formatSize(sync.bytes)}` : "";
  return `synced ${sync.sent} of ${counted(sync.total, "file")}${size}${deleted} in ${
    formatDuration(sync.durationMs)
  }`;
}

function syncTotal(syncs: readonly SyncFinished[]): string {
  const sent = syncs.reduce((sum, sync) => sum + sync.sent, 0);
  const bytes = syncs.reduce((sum, sync) => sum + sync.bytes, 0);
  const size = sent > 0 ? `, ${formatSize(bytes)}` : "";
  const [only, ...others] = syncs;
  if (only && others.length === 0) return `synced ${sent} of ${counted(only.total, "file")}${size}`;
  return `synced ${counted(sent, "file")} to ${counted(syncs.length, "node")}${size}`;
}

export function fetchWords(fetch: FetchFinished): string {
  return `fetched ${counted(fetch.files.length, "file")}, ${formatSize(fetch.bytes)}`;
}

export function dataWords({ bytes, files, from, wasThere, sent }: DataFinished): string {
  const what = `${counted(files, "file")}, ${formatSize(bytes)}`;
  if (wasThere) return `${what}, was there`;
  return from === undefined ? `${what}, ${formatSize(sent)} sent` : `${what}, from ${from}`;
}

function dataTotal(all: readonly DataFinished[]): string {
  const sets = all.filter(({ node }) => node !== "local");
  const [first = all[0]] = sets;
  if (first === undefined) return "";
  const sent = sets.reduce((sum, set) => sum + set.sent, 0);
  return `${counted(first.files, "file")}, ${formatSize(first.bytes)} on ${
    counted(sets.length, "node")
  }, ${sent === 0 ? "nothing" : formatSize(sent)} sent`;
}

/** Files, bytes, rate and the time that is left at this rate. */
export function progressWords(sync: SyncProgressed): string {
  const { files, totalFiles, bytes, totalBytes, rate } = sync;
  const left = rate > 0
    ? `, ${formatDuration(Math.ceil(Math.max(0, totalBytes - bytes) / rate) * 1000)} left`
    : "";
  return `${files} of ${totalFiles} files, ${formatSize(bytes)} of ${formatSize(totalBytes)}, ` +
    `${formatSize(Math.round(rate))}/s${left}`;
}

/** `, 12.5/s, 49s left`; nothing before a rate was seen, and at the end. */
function rateWords({ perSecond, leftMs, done, total }: BatchProgressed): string {
  if (perSecond === undefined || leftMs === undefined || done === total) return "";
  const rate = perSecond >= 1 ? `${perSecond}/s` : `${(perSecond * 60).toPrecision(2)}/min`;
  return `, ${rate}, ${formatDuration(leftMs)} left`;
}

export function batchWords(batch: BatchProgressed): string {
  const failed = batch.failed > 0 ? `, ${batch.failed} failed` : "";
  const mode = batch.mode === "embedded" ? " on local processes, no Ray" : "";
  return `${batch.done} of ${batch.total} tasks${failed}${rateWords(batch)}${mode}`;
}

/** "1 file", "2 files". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
