import type { Environment, TypeCheckResult } from "./cel_library.ts";
import { celWords, trimmed } from "./cel_words.ts";
import type { Problem } from "./expression_parts.ts";
import type { Names } from "./names.ts";
import { compareHint } from "./operator_words.ts";
import type { ExpressionUse } from "./reader.ts";
import { typeWord } from "./type_fault.ts";

/** Results by environment and source; the same expression often stands in hundreds of steps. */
const checked = new WeakMap<Environment, Map<string, TypeCheckResult>>();

function typed(source: string, types: Environment): TypeCheckResult {
  const results = checked.get(types) ?? new Map<string, TypeCheckResult>();
  checked.set(types, results);
  const known = results.get(source);
  if (known) return known;
  const result = types.check(source);
  results.set(source, result);
  return result;
}

/** CEL's name of the type; undefined where it is not known before the run. */
export function typeOf(source: string, types: Environment): string | undefined {
  const { valid, type } = typed(source, types);
  return valid && type !== "dyn" ? type : undefined;
}

/** Whether the types in an expression go together, and whether its own fits where it stands. */
export function checkTypes(use: ExpressionUse, names: Names): readonly Problem[] {
  const { valid, type, error } = typed(use.source, names.types);
  if (!valid) return [{ ...celWords(error, use.source), rule: "wrong-type" }];
  if (use.wants === "axis") return checkList(use.source, type ?? "dyn");
  if (use.wants !== "condition" || type === "bool" || type === "dyn") return [];
  return [{
    rule: "wrong-type",
    at: trimmed(use.source),
    message: `a condition must be true or false, this is ${typeWord(type ?? "")}`,
    hint: compareHint(type ?? ""),
  }];
}

function checkList(source: string, type: string): readonly Problem[] {
  if (type === "dyn" || type.startsWith("list")) return [];
  const written = source.trim();
  return [{
    rule: "bad-axis",
    at: trimmed(source),
    message: `an axis is a list, this is ${typeWord(type)}`,
    hint: `write ${type === "string" ? `fromJSON(${written})` : `[${written}]`}`,
  }];
}
