/** What the inputs alone say about a pipeline, before anything of it has run. */
import type { JsonValue } from "../core/json.ts";
import { own, setOwn } from "../core/own.ts";
import {
  evaluateCondition,
  evaluateText,
  evaluateValue,
  type EvaluationScope,
} from "../expression/evaluate.ts";
import { type Expression, parseExpression } from "../expression/expression.ts";
import type { Pipeline, Step } from "./pipeline.ts";
import { Text } from "../expression/text.ts";

export interface PartialEvaluationOptions {
  /** What `env()` sees. */
  readonly env: Readonly<Record<string, string>>;
}

type Status = EvaluationScope["status"];

/** A step may find the run in any of these. */
const STATUSES: readonly Status[] = [
  { success: true, failure: false, cancelled: false },
  { success: false, failure: true, cancelled: false },
  { success: false, failure: false, cancelled: true },
];

const STATUS_CALLS = new Set(["success", "failure", "always", "cancelled"]);
/** Names whose values are the same whenever the step starts. */
const KNOWN_ROOTS = new Set(["inputs", "matrix"]);
/** Its answer depends on files that a step may yet bring. */
const LATE_CALLS = new Set(["hashFiles"]);

export class PartialEvaluation {
  readonly #pipeline: Pipeline;
  readonly #options: PartialEvaluationOptions;
  readonly #steps: ReadonlyMap<string, Step>;

  constructor(pipeline: Pipeline, options: PartialEvaluationOptions) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#steps = new Map(pipeline.steps.map((step) => [step.id, step]));
  }

  /** The text as the step will find it; undefined where that depends on the run. */
  text(text: Text, step: Step): string | undefined {
    return text.constant ?? this.#unlessStatus(text, step, evaluateText);
  }

  /** The condition that is false however the run goes: the step's own, or that of a group around it. */
  falseCondition(step: Step): Text | undefined {
    const { condition, group } = step;
    if (condition !== undefined && this.#isFalse(condition, step)) return condition;
    const outer = group === undefined ? undefined : this.#steps.get(group);
    return outer && this.falseCondition(outer);
  }

  #isFalse(condition: Text, step: Step): boolean {
    return STATUSES.every((status) =>
      this.#attempt(
        condition,
        step,
        (scope) => evaluateCondition(condition, { ...scope, status }),
      ) === false
    );
  }

  #unlessStatus<T>(
    text: Text,
    step: Step,
    evaluate: (text: Text, scope: EvaluationScope) => T,
  ): T | undefined {
    const asks = expressionsOf(text).some(({ calls }) => calls.some(isStatusCall));
    return asks ? undefined : this.#attempt(text, step, (scope) => evaluate(text, scope));
  }

  #attempt<T>(text: Text, step: Step, evaluate: (scope: EvaluationScope) => T): T | undefined {
    const inputs = this.#inputsFor(text, step);
    if (inputs === undefined) return undefined;
    try {
      return evaluate({
        inputs,
        steps: {},
        matrix: step.matrix && { ...step.matrix },
        env: this.#options.env,
        run: { id: "", pipeline: this.#pipeline.name },
        attempt: 1,
        status: { success: true, failure: false, cancelled: false },
        hashFiles: () => "",
      });
    } catch {
      return undefined; // the run will say what is wrong with it
    }
  }

  /** The inputs that the text reads; undefined where it reads anything else, or one not known yet. */
  #inputsFor(text: Text, step: Step): Readonly<Record<string, JsonValue>> | undefined {
    const declared = own(this.#pipeline.scopes, step.scope)?.inputs ?? this.#pipeline.inputs;
    const found: Record<string, JsonValue> = {};
    for (const { references, calls } of expressionsOf(text)) {
      if (calls.some(({ name }) => LATE_CALLS.has(name))) return undefined;
      if (references.some(({ root }) => !KNOWN_ROOTS.has(root.name))) return undefined;
      for (const { root, path } of references) {
        if (root.name !== "inputs") continue;
        const names = path[0] === undefined ? Object.keys(declared) : [path[0].name];
        for (const name of names) {
          const value = this.#input(own(declared, name), step.scope);
          if (value === undefined) return undefined;
          setOwn(found, name, value);
        }
      }
    }
    return found;
  }

  /** An input of a template is a text of the file that uses it. */
  #input(value: JsonValue | Text | undefined, scope: string): JsonValue | undefined {
    if (!(value instanceof Text)) return value;
    const user = this.#steps.get(scope);
    return user && this.#unlessStatus(value, user, evaluateValue);
  }
}

function expressionsOf(text: Text): Expression[] {
  return text.parts.flatMap((part) =>
    part.kind === "expression" ? [parseExpression(part.source)] : []
  );
}

function isStatusCall({ name }: Expression["calls"][number]): boolean {
  return STATUS_CALLS.has(name);
}
