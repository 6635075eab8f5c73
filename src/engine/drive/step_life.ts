/**
 * The life of a step in a graph: whether it runs once everything before it has ended, what is journaled
 * when it begins, and how it ends. `graph_run.ts` asks; what its attempts do is `attempt/retry_loop.ts`.
 */
import type { JsonValue } from "../../core/json.ts";
import { setOwn } from "../../core/own.ts";
import { evaluateCondition, evaluateValue } from "../../expression/evaluate.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { AttemptEnd } from "../attempt/attempt.ts";
import type { Failure, OutputFile, RunResult, StepResult, StepStarted } from "../event.ts";
import { failureOf } from "../failure.ts";
import type { Ledger, StepEnding } from "../ledger/ledger.ts";
import type { Scopes } from "../ledger/scopes.ts";
import type { Brought } from "../resume/brought.ts";
import type { KnownResults, Prepared, ResumeFrom } from "../resume/known_results.ts";
import { cachedReason } from "../resume/reuse.ts";
import type { Scheduler } from "../schedule/scheduler.ts";
import {
  type ConditionStatus,
  isFailure,
  judge,
  NOT_CHOSEN,
  type Standing,
  type Verdict,
} from "../schedule/verdict.ts";

// Whether it runs.

export interface StartConditionOptions {
  readonly ledger: Ledger;
  /** Steps that were asked for; undefined means all. */
  readonly chosen: ReadonlySet<string> | undefined;
  /** Set for hooks: how the run stands. */
  readonly after: RunResult | undefined;
  /** The run whose results are used again. */
  readonly resume: ResumeFrom | undefined;
}

export class StartCondition {
  readonly #scheduler: Scheduler;
  readonly #options: StartConditionOptions;

  constructor(scheduler: Scheduler, options: StartConditionOptions) {
    this.#scheduler = scheduler;
    this.#options = options;
  }

  /** @throws {GridError} where its condition, or an input of its template, has no fitting value */
  of(step: Step, standing: Standing): Verdict {
    const verdict = this.#verdict(step, standing);
    // A template whose inputs do not fit must not begin.
    if (verdict.run && this.#entersTemplate(step)) this.#options.ledger.scopes.inside(step.id);
    return verdict;
  }

  /** When resuming, what was not asked for may still be at hand; members of groups decide alone. */
  isChosen(step: Step): boolean {
    const { chosen, resume } = this.#options;
    return !chosen || chosen.has(step.id) || (resume !== undefined && step.action.kind === "group");
  }

  #verdict(step: Step, standing: Standing): Verdict {
    const { resume, ledger } = this.#options;
    if (!resume && !this.isChosen(step)) return NOT_CHOSEN;
    // An `if` with `matrix.…` means each cell for itself.
    if (
      isGroupOf(step, "matrix") && this.#scheduler.membersOf(step.id).some((cell) => cell.condition)
    ) {
      return { run: true };
    }
    return judge(
      step.condition,
      standing,
      (condition, status) =>
        evaluateCondition(condition, ledger.scopes.of(step, { status: this.#status(status) })),
    );
  }

  #entersTemplate(step: Step): boolean {
    return isGroupOf(step, "template") && this.#scheduler.membersOf(step.id)
      .some((member) => member.action.kind !== "group" && this.isChosen(member));
  }

  /** In a hook, `failure()` asks about the run. */
  #status(status: ConditionStatus): ConditionStatus {
    const { after } = this.#options;
    if (after === undefined) return status;
    const failure = after === "failed" || after === "timed-out";
    return { success: after === "succeeded", failure, cancelled: after === "cancelled" };
  }
}

/** What is decided about a step once everything before it has ended. */
export type Admission =
  | { readonly verdict: Verdict; readonly prepared?: Prepared | undefined }
  /** Not even that can be said. */
  | { readonly failure: Failure };

/** Asks only: it may be asked again. */
export function admissionOf(
  step: Step,
  { standing, condition, results }: {
    readonly standing: Standing;
    readonly condition: StartCondition;
    readonly results: KnownResults;
  },
): Admission {
  let verdict: Verdict | undefined;
  try {
    verdict = condition.of(step, standing);
    // A group has no result of its own that could be used again.
    const isPrepared = verdict.run && step.action.kind !== "group";
    return { verdict, prepared: isPrepared ? results.prepare(step) : undefined };
  } catch (thrown) {
    if (verdict && !condition.isChosen(step)) return { verdict: NOT_CHOSEN };
    return { failure: failureOf(thrown, { started: false }) };
  }
}

// How it begins.

/** What the journal says when a step starts its work. */
export function beginningOf(
  step: Step,
  { prepared, at, afterMs }: {
    readonly prepared: Prepared | undefined;
    readonly at: number;
    readonly afterMs: number;
  },
): StepStarted {
  const { key, brought, known } = prepared ?? {};
  return {
    type: "step.started",
    at,
    step: step.id,
    afterMs,
    ...(key === undefined ? {} : { key }),
    ...broughtIf(brought),
    ...(known?.kind === "none" && known.because ? { because: known.because } : {}),
    ...(known?.kind === "none" && known.uncached ? { uncached: known.uncached } : {}),
    ...(known?.kind === "attach" ? { takenOver: known.takenOver } : {}),
  };
}

/** Most steps come after no sync. */
function broughtIf(brought: Brought | undefined): { readonly brought?: Brought } {
  return brought === undefined || Object.keys(brought).length === 0 ? {} : { brought };
}

// How it ends.

/** How a step ends whose last attempt ended so. */
export function endingOf(step: Step, end: AttemptEnd): StepEnding {
  const { failure, outputs, filed, masked, node, result, reused } = end;
  if (reused) {
    const from = { run: reused.run, ...(node === undefined ? {} : { node }) };
    const kept = reused.filed && { filed: reused.filed };
    const reason = cachedReason(reused);
    return { state: "reused", reason, outputs, ...kept, reusedFrom: from, node };
  }
  return {
    state: resultOf(step, result),
    ...(result === "cancelled" && failure ? { reason: failure.message } : {}),
    outputs,
    ...(filed && { filed }),
    ...(masked && { masked }),
    ...(failure === undefined ? {} : { failure }),
    node,
  };
}

/** How a step ends whose result is at hand already; undefined where it is not. */
export function reusedEnding({ key, brought, known }: Prepared): StepEnding | undefined {
  if (known.kind !== "reuse") return undefined;
  const { outputs, filed, masked, reason, from } = known;
  return {
    state: "reused",
    reason,
    outputs,
    ...(filed && { filed }),
    ...(masked === undefined ? {} : { masked }),
    reusedFrom: from,
    ...(key === undefined ? {} : { key }),
    ...broughtIf(brought),
    node: from.node,
  };
}

export function resultOf(step: Step, result: AttemptEnd["result"]): StepResult {
  const failed = result === "failed" || result === "timed-out";
  return failed && step.allowFailure ? "allowed-failure" : result;
}

function isGroupOf({ action }: Step, of: "matrix" | "template"): boolean {
  return action.kind === "group" && action.of === of;
}

/** How a group ends: a template's outputs are evaluated inside it, once its members have ended. */
export function groupEnding(
  step: Step,
  { result, scopes }: { readonly result: StepResult; readonly scopes: Scopes },
): StepEnding {
  const outputs: Record<string, JsonValue> = {};
  if (step.action.kind !== "group") return { state: result, outputs };
  const filed: Record<string, OutputFile> = {};
  const ending = { state: result, outputs, filed, ...reasonOfMembers(step.action.members, scopes) };
  for (const [name, text] of Object.entries(step.action.outputs)) {
    try {
      const value = evaluateValue(text, scopes.inside(step.id, { matrix: step.matrix }));
      const file = scopes.fileOf(value);
      if (file) setOwn(filed, name, file);
      else setOwn(outputs, name, value);
    } catch (thrown) {
      // Steps that did not run have no outputs; only a group that went well must have all of its own.
      if (result !== "succeeded" && result !== "reused") continue;
      const failure = failureOf(thrown, { started: true });
      return { state: step.allowFailure ? "allowed-failure" : "failed", outputs, failure };
    }
  }
  return Object.keys(filed).length > 0 ? ending : withoutFiles(ending);
}

function withoutFiles({ filed: _, ...ending }: StepEnding): StepEnding {
  return ending;
}

/** `2 of 4 failed, first "sweep[lr=1e-4]"`: the first by time. */
function reasonOfMembers(
  members: readonly string[],
  scopes: Scopes,
): { readonly reason?: string } {
  const ended = scopes.inOrder(members).flatMap((id) => {
    const state = scopes.record(id)?.state;
    return state === undefined ? [] : [{ id, state }];
  });
  for (const [word, fits] of WORST_FIRST) {
    const hit = ended.filter(({ state }) => fits(state));
    const [first] = hit;
    if (first) return { reason: `${hit.length} of ${members.length} ${word}, first "${first.id}"` };
  }
  const alike = (["skipped", "reused"] as const)
    .find((word) => ended.length > 0 && ended.every(({ state }) => state === word));
  return alike === undefined ? {} : { reason: `every one of its steps was ${alike}` };
}

const WORST_FIRST: readonly (readonly [string, (state: StepResult) => boolean])[] = [
  ["failed", isFailure],
  ["cancelled", (state) => state === "cancelled"],
];
