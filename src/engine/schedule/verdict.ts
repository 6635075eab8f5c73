/** The rules that decide whether a step runs once everything before it has ended. */
import type { Text } from "../../expression/text.ts";
import type { StepResult } from "../event.ts";

/** What the steps before one left behind. */
export interface Standing {
  /** Why the first need that does not count as success does not; undefined where all count. */
  readonly unmet: string | undefined;
  /** Some step before failed, timed out, or was skipped because of that. */
  readonly failedBefore: boolean;
  /** Why nothing ordinary may start any more. */
  readonly halted: Halt | undefined;
}

export interface Halt {
  readonly kind: "interrupted" | "fail-fast";
  /** One clause: `the run was interrupted`. */
  readonly reason: string;
}

/** The values of `success()`, `failure()` and `cancelled()`. */
export interface ConditionStatus {
  readonly success: boolean;
  readonly failure: boolean;
  readonly cancelled: boolean;
}

export type Verdict =
  | { readonly run: true }
  | {
    readonly run: false;
    readonly state: "skipped" | "cancelled";
    readonly reason: string;
    /** Whether steps that need this one are skipped too. */
    readonly passesOn: boolean;
  };

/** Why a step is skipped that `--from` or `--only` leaves out. */
export const LEFT_OUT = "it was not asked for";

/** The step does not run. */
export type Refusal = Extract<Verdict, { run: false }>;

export const NOT_CHOSEN: Refusal = {
  run: false,
  state: "skipped",
  reason: LEFT_OUT,
  passesOn: false,
};

/** Calls that let a step run although something before it failed, or the run is being cancelled. */
const STATUS_CALL = /\b(success|failure|always|cancelled)\s*\(/;

export function judge(
  condition: Text | undefined,
  standing: Standing,
  evaluate: (condition: Text, status: ConditionStatus) => boolean,
): Verdict {
  const { halted, unmet } = standing;
  const asksForStatus = condition !== undefined && mentionsStatus(condition);
  if (halted && !asksForStatus) {
    return {
      run: false,
      state: "cancelled",
      reason: `not started: ${halted.reason}`,
      passesOn: true,
    };
  }
  if (unmet !== undefined && !asksForStatus) {
    return { run: false, state: "skipped", reason: unmet, passesOn: true };
  }
  if (condition === undefined || evaluate(condition, statusOf(standing))) return { run: true };
  const ranOtherwise = () => evaluate(condition, ALL_WELL);
  return {
    run: false,
    state: "skipped",
    reason: `its condition is false: ${sourceOf(condition)}`,
    passesOn: unmet !== undefined || (standing.failedBefore && ranOtherwise()),
  };
}

const ALL_WELL: ConditionStatus = { success: true, failure: false, cancelled: false };

export function statusOf({ unmet, failedBefore, halted }: Standing): ConditionStatus {
  const cancelled = halted?.kind === "interrupted";
  return {
    success: unmet === undefined && !failedBefore && !cancelled,
    failure: failedBefore && !cancelled,
    cancelled,
  };
}

/** Whether a step that needs one with this result may run. */
export function satisfies(result: StepResult, passesOn: boolean): boolean {
  switch (result) {
    case "succeeded":
    case "reused":
    case "allowed-failure":
      return true;
    case "skipped":
      return !passesOn;
    case "failed":
    case "timed-out":
    case "cancelled":
      return false;
  }
}

export function isFailure(result: StepResult): boolean {
  return result === "failed" || result === "timed-out";
}

export interface MemberEnd {
  readonly result: StepResult;
  readonly passesOn: boolean;
}

/**
 * What a matrix or a template amounts to: the worst of the members that nothing allowed, `skipped`
 * or `reused` where every member was.
 */
export function groupEnd(members: readonly MemberEnd[], allowFailure: boolean): MemberEnd {
  const results = members.map(({ result }) => result);
  const worst = (["failed", "timed-out", "cancelled"] as const)
    .find((result) => results.includes(result));
  if (worst !== undefined) {
    const allowed = allowFailure && worst !== "cancelled";
    return { result: allowed ? "allowed-failure" : worst, passesOn: false };
  }
  const [first] = results;
  const alike = first !== undefined && results.every((result) => result === first);
  if (!alike || (first !== "skipped" && first !== "reused")) {
    return { result: "succeeded", passesOn: false };
  }
  return { result: first, passesOn: members.some(({ passesOn }) => passesOn) };
}

/** The sentence under which a step that needs `step` is skipped. */
export function unmetReason(
  step: string,
  { result, root }: { readonly result: StepResult; readonly root: string | undefined },
): string {
  switch (result) {
    case "failed":
      return `it needs "${step}", which failed`;
    case "timed-out":
      return `it needs "${step}", which timed out`;
    case "cancelled":
      return `it needs "${step}", which was cancelled`;
    default: {
      const because = root === undefined ? "" : ` because ${root}`;
      return `it needs "${step}", which did not run${because}`;
    }
  }
}

/** `"train" failed`; undefined for a result that is no failure. */
export function failureWords(step: string, result: StepResult): string | undefined {
  if (!isFailure(result)) return undefined;
  return `"${step}" ${result === "failed" ? "failed" : "timed out"}`;
}

function mentionsStatus(condition: Text): boolean {
  return condition.parts.some((part) =>
    STATUS_CALL.test(part.kind === "expression" ? part.source : part.value)
  );
}

export function sourceOf(condition: Text): string {
  return condition.parts.map((part) => part.kind === "expression" ? part.source.trim() : part.value)
    .join("");
}
