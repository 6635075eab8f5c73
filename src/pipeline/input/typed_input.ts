import { GridError, type Place } from "../../core/errors.ts";
import { ExactNumber } from "../../core/exact_number.ts";
import type { JsonValue } from "../../core/json.ts";
import { toText } from "../../expression/cel_value.ts";
import { type InputType, parseInput } from "./inputs.ts";
import type { InputRule } from "../pipeline.ts";

/** CEL's types that can never fit an input of a type; what else there is shows when it starts. */
const UNFIT: Readonly<Record<InputType, RegExp>> = {
  integer: /^(bool|list|map)/,
  number: /^(bool|list|map)/,
  boolean: /^(int|double|list|map)/,
  choice: /^(list|map)/,
  path: /^(list|map)/,
  string: /^never$/,
};

const WANTED: Readonly<Record<InputType, string>> = {
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  choice: "one of its options",
  path: "a path",
  string: "text",
};

/** What an input must be where a value of a CEL type cannot be that; undefined where it may be. */
export function misfit(spec: InputRule, celType: string): string | undefined {
  return UNFIT[spec.type].test(celType) ? `must be ${WANTED[spec.type]}` : undefined;
}

/**
 * The value that an expression gave to an input, in the type of the input. Outputs are text, so a
 * text that spells a number is one.
 *
 * @throws {GridError} `step-failed` where it does not fit
 */
export function typedInput(
  spec: InputRule,
  { given, place }: { readonly given: JsonValue; readonly place: Place },
): JsonValue {
  if (given === null) return null;
  // No type says "list": a text is also how a list or a map gets into a template.
  if (typeof given === "object" && spec.type === "string" && !(given instanceof ExactNumber)) {
    return given;
  }
  const parsed = parseInput(spec, toText(given));
  if (parsed.ok) return typeof given === "number" && spec.type === "number" ? given : parsed.value;
  throw new GridError({
    code: "step-failed",
    message: `Cannot start the template: input "${spec.name}" ${parsed.problem}`,
    hint: declaredIn(spec),
    place,
  });
}

export function declaredIn({ spot: { place } }: InputRule): string {
  return `declared in ${place.file}:${place.line}`;
}
