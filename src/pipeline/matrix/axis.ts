import type { JsonValue } from "../../core/json.ts";
import { diagnostic } from "../../document/shape/check.ts";
import type { WrittenStep } from "../written_step.ts";
import { evaluateValue } from "../../expression/evaluate.ts";
import type { Expansion, Instance } from "../instance.ts";
import { Text } from "../../expression/text.ts";

/** The values of an axis written as an expression over inputs; undefined, and reported, if none. */
export function axisList(
  step: WrittenStep,
  axis: string,
  { instance, into }: { readonly instance: Instance; readonly into: Expansion },
): readonly JsonValue[] | undefined {
  if (step.matrix === undefined) return undefined;
  const { reader } = instance.file;
  const text = reader.text(step.matrix, axis);
  let problem = `the axis "${axis}" is no list`;
  try {
    const value = evaluateValue(text, beforeTheRun(instance, into));
    if (Array.isArray(value)) return value;
  } catch (error) {
    problem = `the axis "${axis}" cannot be known before the run: ${(error as Error).message}`;
  }
  if (!into.inputsAreKnown) return [null];
  into.diagnostics.push(diagnostic({
    rule: "bad-axis",
    spot: reader.source.valueSpot(step.matrix, axis),
    message: problem,
    hint: "an axis is a list, or an expression over inputs that gives one",
  }));
  return undefined;
}

/** Inputs that a template is given by expressions are not known yet. */
function beforeTheRun(instance: Instance, into: Expansion) {
  const entries = Object.entries(into.scopes[instance.scope]?.inputs ?? {});
  const inputs = entries.filter((entry): entry is [string, JsonValue] =>
    !(entry[1] instanceof Text)
  );
  return {
    inputs: Object.fromEntries(inputs),
    steps: {},
    matrix: undefined,
    env: {},
    run: { id: "", pipeline: "" },
    attempt: 1,
    status: { success: true, failure: false, cancelled: false },
    hashFiles: () => "",
  };
}
