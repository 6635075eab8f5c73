/**
 * What the reports say of a step, made as soon as it has ended: when the run is over, little is left to do.
 * A draft belongs to the very state and document that it was made of, so that none can be out of date.
 */
import type { StepState } from "../engine/reduce.ts";
import { stepDocument } from "./document_writer.ts";
import type { AnchorOf } from "./html_parts.ts";
import { type StepMarkup, stepMarkup } from "./html_steps.ts";
import type { IsDrawn } from "./html_usage.ts";
import { encodedStep } from "./json.ts";
import { isWithoutTail, testCase } from "./junit.ts";
import { encoded } from "./page_part.ts";
import { type ExcerptPlan, wholeExcerpt } from "./log_excerpts.ts";
import type { StepDocument } from "./run_document.ts";

export interface DraftOptions {
  readonly pipeline: string;
  /** Path relative to the run's folder of what an attempt printed; null where that was nothing. */
  readonly logOf: (step: string, attempt: number) => string | null;
  /** All that an attempt printed, where that is little and at hand. */
  readonly keptLog: (step: string, attempt: number) => Uint8Array | undefined;
  readonly anchorOf: AnchorOf;
}

interface EncodedMarkup extends StepMarkup {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

interface Draft {
  readonly json: Uint8Array;
  /** Absent where it needs the last lines of the step. */
  readonly testCase: string | undefined;
  /** Absent where a log is not at hand. */
  readonly markup: EncodedMarkup | undefined;
}

export class StepDrafts {
  readonly #options: DraftOptions;
  readonly #documents = new WeakMap<StepState, StepDocument>();
  readonly #drafts = new WeakMap<StepDocument, Draft>();

  constructor(options: DraftOptions) {
    this.#options = options;
  }

  /** It has ended. */
  add(step: StepState): void {
    // The page draws groups with their members.
    if (step.kind === "group") return;
    const { pipeline, logOf } = this.#options;
    const document = stepDocument(step, { logOf, isStopped: false });
    this.#documents.set(step, document);
    this.#drafts.set(document, {
      json: encodedStep(document),
      testCase: isWithoutTail(document)
        ? testCase(document, { report: { pipeline }, tail: () => [] })
        : undefined,
      markup: this.#markup(document),
    });
  }

  documentOf(step: StepState): StepDocument | undefined {
    return this.#documents.get(step);
  }

  jsonOf(step: StepDocument): Uint8Array | undefined {
    return this.#drafts.get(step)?.json;
  }

  caseOf(step: StepDocument): string | undefined {
    return this.#drafts.get(step)?.testCase;
  }

  /** It holds each log whole, and draws what each attempt used: only where the page has room for that. */
  markupOf(
    step: StepDocument,
    { plan, isDrawn }: { readonly plan: ExcerptPlan; readonly isDrawn: IsDrawn },
  ): StepMarkup | undefined {
    const markup = this.#drafts.get(step)?.markup;
    if (markup === undefined) return undefined;
    const fits = step.attempts.every((attempt) =>
      (attempt.log === null || plan.isWhole(step.id, attempt.attempt)) &&
      (!attempt.usage?.samples || isDrawn(attempt))
    );
    return fits ? markup : undefined;
  }

  #markup(document: StepDocument): EncodedMarkup | undefined {
    const { keptLog, anchorOf } = this.#options;
    const hasAll = document.attempts.every(({ attempt, log }) =>
      log === null || keptLog(document.id, attempt) !== undefined
    );
    if (!hasAll) return undefined;
    const { before, after } = stepMarkup(document, {
      anchorOf,
      logOf: (step, attempt) => {
        const kept = keptLog(step, attempt);
        return kept && kept.length > 0 ? wholeExcerpt(kept) : undefined;
      },
      isDrawn: () => true,
    });
    return { before: encoded(before), after: encoded(after) };
  }
}
