/** What a sync lets start next gets ready while the sync runs, where its kind knows how. */
import type { Step } from "../../pipeline/pipeline.ts";
import { type RequestContext, requestOf } from "../attempt/request.ts";
import type { StepKinds, StepRequest } from "../ports.ts";
import type { StartConditionOptions } from "./step_life.ts";

export interface LookAheadOptions extends StartConditionOptions {
  readonly ports: { readonly kinds: StepKinds };
  readonly request: RequestContext;
}

export class LookAhead {
  readonly #options: LookAheadOptions;
  /** In the order of the file; each gets ready once at most. */
  readonly #left: Set<Step>;

  constructor(steps: readonly Step[], options: LookAheadOptions) {
    this.#options = options;
    // A run that goes on from another may have a result already.
    const isAnew = options.resume === undefined && options.after === undefined;
    const able = steps.filter((step) => isAnew && isPlain(step) && this.#kindOf(step).prepare);
    this.#left = new Set(able);
  }

  /** The step runs now. One step at most gets ready for it, since many would be in its way. */
  began(step: Step): void {
    if (step.action.kind !== "sync" || this.#left.size === 0) return;
    const next = [...this.#left].find((it) => it.needs.includes(step.id) && this.#isNext(it));
    if (next === undefined) return;
    this.#left.delete(next);
    const request = this.#request(next);
    if (request !== undefined) this.#kindOf(next).prepare?.(request);
  }

  /** Whether nothing but syncs is left to be done before it. */
  #isNext({ id, needs }: Step): boolean {
    const { ledger, request: { steps }, chosen } = this.#options;
    if (chosen && !chosen.has(id)) return false;
    return needs.every((need) => {
      const result = ledger.results.get(need);
      return result === undefined
        ? steps.get(need)?.action.kind === "sync"
        : result === "succeeded";
    });
  }

  /** Undefined where it depends on what comes of the syncs. */
  #request(step: Step): StepRequest | undefined {
    const { ledger, request } = this.#options;
    try {
      const parts = { attempt: 1, avoidNodes: [], resumeJob: undefined };
      return requestOf(step, { ...request, ...parts, ledger });
    } catch {
      return undefined; // it fails in its turn, and is told then
    }
  }

  #kindOf({ action: { kind } }: Step): { prepare?(request: StepRequest): void } {
    if (kind === "group") return {};
    return this.#options.ports.kinds[kind] as { prepare?(request: StepRequest): void };
  }
}

/** Whether it will surely run, here and now, once its needs have succeeded. */
function isPlain({ needs, after, condition, cache, group, detach }: Step): boolean {
  return needs.length > 0 && after.length === 0 && !condition && !cache && !detach &&
    group === undefined;
}
