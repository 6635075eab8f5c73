/**
 * How much one evaluation may do. Macros inside macros multiply: eight `.all()` over twenty items are
 * 25 billion steps, and nothing else runs while an expression does.
 */
import { formatCount } from "../core/size.ts";

/** Parts evaluated and items made; a second or so. A sweep of 10,000 cells takes some 100,000. */
export const EXPRESSION_STEPS = 2_000_000;

/** Characters that count as one step. */
const CHARACTERS_PER_STEP = 16;

export class StepsExhausted extends Error {
  override readonly name = "StepsExhausted";
  constructor(readonly steps: number) {
    super(`it takes more than ${formatCount(steps)} steps`);
  }
}

let steps = EXPRESSION_STEPS;
let left = EXPRESSION_STEPS;

/**
 * Runs `work` with so many steps.
 *
 * @throws {StepsExhausted} where it needs more, whatever it made of being stopped
 */
export function withSteps<T>(budget: number, work: () => T): T {
  const before = { steps, left };
  steps = left = budget;
  try {
    const value = work();
    // Quantifiers catch what their items throw, and go on.
    if (left < 0) throw new StepsExhausted(budget);
    return value;
  } catch (error) {
    throw left < 0 ? new StepsExhausted(budget) : error;
  } finally {
    ({ steps, left } = before);
  }
}

/** @throws {StepsExhausted} from the last step on, at every further one */
export function spend(count: number): void {
  left -= count;
  if (left < 0) throw new StepsExhausted(steps);
}

/** Steps for a value just made, by its length. */
export function spendOn(value: unknown): void {
  if (typeof value === "string") spend(Math.floor(value.length / CHARACTERS_PER_STEP));
  else if (Array.isArray(value)) spend(value.length);
}
