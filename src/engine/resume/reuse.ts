/** Whether a step's result is at hand already: from the run that is resumed, or from `cache:`. */
import { looksAlways } from "../../pipeline/step_kinds.ts";
import type { JsonValue } from "../../core/json.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { ReuseSource, TakenOver } from "../event.ts";
import { type Brought, broughtOther } from "./brought.ts";
import type { CachedResult, Fetched, LocalFiles } from "../ports.ts";
import type { ResumeRank } from "../resume_job.ts";
import type { AttemptState, RunState, StepState } from "../reduce.ts";

/** What a step can do instead of starting afresh. */
export type KnownResult =
  | {
    readonly kind: "reuse";
    readonly outputs: Readonly<Record<string, JsonValue>>;
    readonly filed?: StepState["filed"];
    /** Outputs that held a secret and are left out, since no journal keeps one. */
    readonly masked?: readonly string[];
    readonly reason: string;
    readonly from: ReuseSource;
    /** It stands although something about it changed: what, in one clause. */
    readonly stale?: string;
    /** What it did, and with what, where that is not what it would do now. */
    readonly key?: string | undefined;
    /** What the syncs before it had brought, some of which may not run this time. */
    readonly brought?: Brought;
  }
  /** Its job still runs, or ended while nobody looked. */
  | {
    readonly kind: "attach";
    readonly attempt: number;
    readonly node: string;
    readonly job: string;
    /** Of a step on many nodes: all of its jobs. */
    readonly ranks?: readonly ResumeRank[];
    /** What the syncs before it had brought when it began. */
    readonly brought: Brought;
    readonly takenOver: TakenOver;
  }
  /** What `cache:` kept, if the files that the step made are still there. */
  | { readonly kind: "verify"; readonly cached: CachedResult }
  | {
    readonly kind: "none";
    /** Why a resumed run does it again: `it failed in run …`. */
    readonly because?: string;
    /** Why nothing that `cache:` kept stands in for it; one clause. */
    readonly uncached?: string;
    /** A job of the earlier run that may still be at it. */
    readonly leaves?: { readonly node: string; readonly job: string };
  };

/** What masking leaves of a secret. */
const MASKED = "***";

export interface ResumeQuestion {
  readonly key: string | undefined;
  /** Digest of what each sync before it brought, this time. */
  readonly brought: Brought;
  /** A step before this one did its work again in this run. */
  readonly repeatedBefore: boolean;
  /** Asked for by name: do it again whatever there is. */
  readonly forced: boolean;
  /** Others were asked for by name: what finished stands, whatever changed since. */
  readonly stands?: boolean;
  /** Absent: what was fetched counts as being there still. */
  readonly files?: Pick<LocalFiles, "lost" | "lostOutput"> | undefined;
}

/** What the resumed run offers for a step that is about to run. Pure but for the question of files. */
export function earlierResult(
  earlier: RunState,
  step: Step,
  question: ResumeQuestion,
): KnownResult {
  const old = earlier.steps.get(step.id);
  const because = reasonToRun(earlier, step, question);
  const stale = because === undefined && question.stands
    ? reasonToRun(earlier, step, { ...question, stands: false })
    : undefined;
  const attempt = old && (runningJob(old) ?? servingJob(old, step));
  if (attempt && !question.forced && old.key === question.key) {
    // It goes on with the files that it began with, whatever was brought since.
    const brought = old.brought ?? {};
    return { kind: "attach", ...attempt, brought, takenOver: takenOverFrom(earlier, old) };
  }
  if (because !== undefined || !old) {
    return { kind: "none", ...(because && { because }), ...(attempt && { leaves: attempt }) };
  }
  const run = old.reusedFrom?.run ?? earlier.run;
  return {
    kind: "reuse",
    ...keptOf(old),
    reason: stale === undefined
      ? `it finished in run ${run} and nothing about it changed`
      : `it finished in run ${run} and was not asked for; stale: ${stale}`,
    ...(stale !== undefined && { stale, key: old.key }),
    from: { run, ...(old.node === undefined ? {} : { node: old.node }) },
    ...(old.brought === undefined ? {} : { brought: old.brought }),
  };
}

/**
 * What `cache:` kept stands in for the step, where the step would find there what it left. Whether
 * files that it declared are there, its node is asked when it starts.
 */
export function cachedResult(
  cached: CachedResult,
  { node: named, files }: {
    readonly node?: string | undefined;
    readonly files?: ResumeQuestion["files"];
  } = {},
): KnownResult {
  const { run, outputs, filed, node, made } = cached;
  const lost = lostOutput(cached, files);
  if (lost !== undefined) return { kind: "none", uncached: lost };
  const isElsewhere = named !== undefined && node !== undefined && named !== node;
  if (isElsewhere && made?.patterns.length !== 0) {
    return { kind: "none", uncached: `its cached result lies on ${node}, not on ${named}` };
  }
  if (made !== undefined && made.patterns.length > 0) return { kind: "verify", cached };
  return {
    kind: "reuse",
    outputs,
    ...(filed && { filed }),
    reason: cachedReason(cached),
    from: { run, ...(node === undefined ? {} : { node }) },
  };
}

export function cachedReason({ run }: CachedResult): string {
  return `cached: run ${run} did the same with the same inputs`;
}

/** One clause; undefined where the earlier result can stand. */
function reasonToRun(
  { run, steps }: RunState,
  step: Step,
  { key, brought, repeatedBefore, forced, stands = false, files }: ResumeQuestion,
): string | undefined {
  const old = steps.get(step.id);
  if (!old) return `run ${run} did not have it`;
  if (forced) return "it was asked for";
  if (!isFinished(old)) return `${unfinished(old)} in run ${run}`;
  // A sync costs next to nothing when nothing changed, and brings what was mended since.
  const { kind } = step.action;
  if (looksAlways(kind)) {
    return `${kind === "sync" ? "a sync" : "a data step"} always looks for changes`;
  }
  if (!stands) {
    if (key === undefined || old.key !== key) return `what it does changed since run ${run}`;
    const since = old.reusedFrom?.run ?? run;
    const other = broughtOther(old.brought, { now: brought, run: since });
    if (other !== undefined) return other;
    if (repeatedBefore) return "a step before it ran again";
  }
  const lost = lostOutput(old, files);
  if (lost !== undefined) return lost;
  const fetched = step.action.kind === "fetch" ? fetchedBy(old) : undefined;
  return fetched && files?.lost(fetched);
}

/** Half a value is none: outputs that a mask changed are left out, by name. */
function keptOf(
  { outputs, filed, masked }: StepState,
): Pick<Reused, "outputs" | "filed" | "masked"> {
  const lost = masked ??
    Object.keys(outputs).filter((name) => holdsSecret({ [name]: outputs[name] ?? null }));
  if (lost.length === 0) return { outputs, ...(filed && { filed }) };
  const kept = Object.entries(outputs).filter(([name]) => !lost.includes(name));
  return { outputs: Object.fromEntries(kept), ...(filed && { filed }), masked: lost };
}

/** What became of a file that a later step may ask for; one clause. */
function lostOutput(
  { filed = {} }: Pick<StepState, "filed">,
  files: ResumeQuestion["files"],
): string | undefined {
  return files && Object.values(filed).map((file) => files.lostOutput(file)).find(Boolean);
}

type Reused = Extract<KnownResult, { kind: "reuse" }>;

/** A step that was reused itself has no attempts, but it has outputs. */
function fetchedBy({ outputs: { folder, files, bytes } }: StepState): Fetched | undefined {
  if (typeof folder !== "string" || !Array.isArray(files) || typeof bytes !== "number") {
    return undefined;
  }
  return { folder, files: files.map(String), bytes };
}

function unfinished({ status }: StepState): string {
  switch (status) {
    case "pending":
    case "skipped":
      return "it did not run";
    case "running":
      return "its end was not seen";
    case "cancelled":
      return "it was cancelled";
    case "timed-out":
      return "it timed out";
    default:
      return "it failed";
  }
}

function isFinished({ status }: StepState): boolean {
  return status === "succeeded" || status === "reused";
}

type LeftJob =
  & Pick<Extract<KnownResult, { kind: "attach" }>, "attempt" | "node" | "job">
  & Partial<Pick<Extract<KnownResult, { kind: "attach" }>, "ranks">>;

/**
 * The job of an attempt that nobody saw the end of: its runner died, or its node stayed away too
 * long. Or it went well, but the runner died before it journaled the outputs: the job has them.
 */
function runningJob(
  { status, attempts }: StepState,
): LeftJob | undefined {
  const last: AttemptState | undefined = attempts.at(-1);
  if (last === undefined) return undefined;
  const endUnseen = status === "running" &&
    (last.result === "running" || last.result === "succeeded");
  if (!endUnseen && last.failure?.code !== "lost") return undefined;
  if (last.job === undefined || last.node === undefined) return undefined;
  const ranks = last.ranks?.flatMap(({ rank, node, job, by }) =>
    job === undefined ? [] : [{ rank, node, job, isOver: by === "grid" }]
  );
  return { attempt: last.attempt, node: last.node, job: last.job, ...(ranks && { ranks }) };
}

/** The job of a service that was ready: whether it still serves, its node knows. */
function servingJob(
  { status, attempts }: StepState,
  { action }: Step,
): LeftJob | undefined {
  const last = attempts.at(-1);
  if (action.kind !== "run" || action.service === undefined || status !== "succeeded") return;
  if (last?.job === undefined || last.node === undefined) return undefined;
  return { attempt: last.attempt, node: last.node, job: last.job };
}

/** The run that started the job of the last attempt: others may have taken it over before. */
export function takenOverFrom({ run }: RunState, step: StepState): TakenOver {
  const last = step.attempts.at(-1);
  const job = last?.job ?? "";
  if (step.takenOver?.job === job) return step.takenOver;
  return { run, job, since: last?.startedAt ?? 0 };
}

/** Secrets are masked in the journal, so that such an output is not what it was. */
export function holdsSecret(outputs: Readonly<Record<string, JsonValue>>): boolean {
  return JSON.stringify(outputs).includes(MASKED);
}
