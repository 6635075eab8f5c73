/** Whether a step of a graph runs, once everything before it has ended. */
import { evaluateCondition } from "../../expression/evaluate.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { Scheduler } from "../schedule/scheduler.ts";
import {
  type ConditionStatus,
  judge,
  NOT_CHOSEN,
  type Standing,
  type Verdict,
} from "../schedule/verdict.ts";
import type { RunResult } from "../event.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { ResumeFrom } from "../resume/known_results.ts";
import { isGroupOf } from "./group.ts";

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
