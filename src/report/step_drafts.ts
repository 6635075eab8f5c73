/**
 * What the reports say of a step, made as soon as it has ended: when the run is over, little is left to do.
 * A draft belongs to the very state and document that it was made of, so that none can be out of date.
 */
import type { StepState } from "../engine/reduce.ts";
import { stepDocument } from "./document_writer.ts";
import { anchorAt } from "./anchor.ts";
import { type StepMarkup, stepMarkup } from "./html_steps.ts";
import type { IsDrawn } from "./html_usage.ts";
import { encodedStep, type MadeSteps } from "./json.ts";
import { isWithoutTail, testCase } from "./junit.ts";
import { type ExcerptPlan, wholeExcerpt } from "./log_excerpts.ts";
import type { StepDocument } from "./run_document.ts";
import { Tape } from "./tape.ts";

export interface DraftOptions {
  readonly pipeline: string;
  /** Path relative to the run's folder of what an attempt printed; null where that was nothing. */
  readonly logOf: (step: string, attempt: number) => string | null;
  /** All that an attempt printed, where that is little and at hand. */
  readonly keptLog: (step: string, attempt: number) => Uint8Array | undefined;
  /** Ids of all steps in the order of the run. */
  readonly steps: readonly string[];
}

interface Draft {
  /** Absent where it needs the last lines of the step. */
  readonly testCase: string | undefined;
  /** Absent where a log is not at hand. */
  readonly markup: StepMarkup | undefined;
}

const NOTHING_MADE: MadeSteps = { bytes: new Uint8Array(), count: 0, of: () => undefined };

export class StepDrafts {
  readonly #options: DraftOptions;
  /** Where each step stands in the run. */
  readonly #places: ReadonlyMap<string, number>;
  /** By place: what was drafted, and of what. */
  readonly #states: StepState[] = [];
  readonly #documents: StepDocument[] = [];
  readonly #json = new Tape();
  /** A step was drafted anew whose bytes are laid. */
  #isStale = false;
  readonly #drafts = new Map<StepDocument, Draft>();

  constructor(options: DraftOptions) {
    this.#options = options;
    this.#places = new Map(options.steps.map((id, at) => [id, at]));
  }

  /** It has ended. */
  add(step: StepState): void {
    const at = this.#places.get(step.id);
    if (at === undefined) return;
    const { pipeline, logOf } = this.#options;
    const document = stepDocument(step, { logOf, isStopped: false });
    this.#states[at] = step;
    this.#documents[at] = document;
    this.#isStale ||= at < this.#json.count;
    this.#json.add(at, encodedStep(document));
    // The page draws groups with their members.
    if (step.kind === "group") return;
    this.#drafts.set(document, {
      testCase: isWithoutTail(document)
        ? testCase(document, { report: { pipeline }, tail: () => [] })
        : undefined,
      markup: this.#markup(document, anchorAt(at)),
    });
  }

  documentOf(step: StepState, at: number): StepDocument | undefined {
    return this.#states[at] === step ? this.#documents[at] : undefined;
  }

  /** What stands in `report.json` of the first of these steps; of those whose documents are the drafted ones. */
  jsonOf(steps: readonly StepDocument[]): MadeSteps {
    const { bytes, count } = this.#json;
    const isDrafted = (at: number) => steps[at] === this.#documents[at];
    for (let at = 0; at < count; at++) if (this.#isStale || !isDrafted(at)) return NOTHING_MADE;
    return { bytes, count, of: (at) => isDrafted(at) ? this.#json.early(at) : undefined };
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

  #markup(document: StepDocument, anchor: string): StepMarkup | undefined {
    const { keptLog } = this.#options;
    const hasAll = document.attempts.every(({ attempt, log }) =>
      log === null || keptLog(document.id, attempt) !== undefined
    );
    if (!hasAll) return undefined;
    const { before, after } = stepMarkup(document, {
      anchorOf: () => anchor,
      logOf: (step, attempt) => {
        const kept = keptLog(step, attempt);
        return kept && kept.length > 0 ? wholeExcerpt(kept) : undefined;
      },
      isDrawn: () => true,
    });
    return { before, after };
  }
}
