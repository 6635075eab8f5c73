import { evaluatePart, evaluateText, type EvaluationScope } from "../expression/evaluate.ts";
import { partReads } from "../expression/node_reference.ts";
import type { Text } from "../expression/text.ts";
import { scripts } from "./scripts.ts";

/**
 * A script with every expression replaced by its value, quoted so that a shell takes it as it is.
 *
 * @throws {GridError} `step-failed` with the expression's place where a value is missing or unfit
 */
export function evaluateScript(text: Text, scope: EvaluationScope): string {
  // It is not run before the node is known.
  if (scope.node === undefined && text.parts.some(partReads)) return evaluateText(text, scope);
  return text.constant ?? scripts().spliceValues(text, (part) => evaluatePart(part, scope));
}
