import { ExactNumber } from "../../core/exact_number.ts";
import type { JsonValue } from "../../core/json.ts";
import { compilePattern } from "../../core/pattern.ts";
import type { Spot } from "../../document/lines.ts";
import type { InputRule } from "../pipeline.ts";
import type { InputEntry, PipelineFile } from "../schema.ts";
import type { TextReader } from "../../expression/reader.ts";

export type InputType = InputRule["type"];

/** An input as declared, its default already checked. */
export interface InputSpec extends InputRule {
  readonly required: boolean;
  readonly default: JsonValue | undefined;
  readonly spot: Spot;
}

/** CEL's name for the values of each type. */
export const CEL_TYPES: Readonly<Record<InputType, string>> = {
  string: "string",
  choice: "string",
  path: "string",
  integer: "int",
  number: "double",
  boolean: "bool",
};

/** What limits the values of an input, and the types that it can limit. */
const LIMITS: readonly (readonly [
  key: "min" | "max" | "pattern" | "options",
  types: readonly InputType[],
])[] = [
  ["min", ["integer", "number"]],
  ["max", ["integer", "number"]],
  ["pattern", ["string", "path"]],
  ["options", ["choice"]],
];

/** The declared inputs of a file; what is wrong with a declaration is reported. */
export function readInputs(file: PipelineFile, reader: TextReader): Map<string, InputSpec> {
  const inputs = file.inputs ?? {};
  const specs = Object.entries(inputs).map(([name, entry]): [string, InputSpec] => {
    const spot = reader.source.keySpot(inputs, name);
    return [name, readInput(entry, { name, spot, reader })];
  });
  return new Map(specs);
}

interface InputContext {
  readonly name: string;
  readonly spot: Spot;
  readonly reader: TextReader;
}

function readInput(entry: InputEntry, { name, spot, reader }: InputContext): InputSpec {
  const options = entry.options ?? [];
  const type = entry.type ?? (options.length > 0 ? "choice" : "string");
  const spec: InputSpec = {
    name,
    type,
    required: entry.required ?? false,
    default: undefined,
    min: entry.min,
    max: entry.max,
    pattern: usablePattern(entry, reader),
    options: options.map((_, index) => reader.spelling(options, index)),
    spot,
  };
  const report = (key: string, message: string, hint?: string) =>
    reader.report({ rule: "bad-input", spot: reader.source.keySpot(entry, key), message, hint });
  if (type === "choice" && options.length === 0) {
    report("type", "a choice needs options", "add options: [a, b]");
  }
  if (entry.min !== undefined && entry.max !== undefined && entry.min > entry.max) {
    reader.report({
      rule: "bad-input",
      spot: reader.source.valueSpot(entry, "min"),
      message: `min ${entry.min} is more than max ${entry.max}`,
      hint: "exchange them",
    });
  }
  for (const [key, types] of LIMITS) {
    if (entry[key] === undefined || types.includes(type)) continue;
    const others = types.map((other) => `type: ${other}`).join(" or ");
    report(key, `${key} has no meaning for an input of type ${type}`, `use ${others}`);
  }
  if (entry.required && entry.default !== undefined) {
    reader.report({
      severity: "warning",
      rule: "idle-required",
      spot: reader.source.keySpot(entry, "required"),
      message: "required: has no effect beside a default",
      hint: "remove one of them",
    });
  }
  if (entry.default === undefined) return spec;
  const parsed = parseInput(spec, reader.spelling(entry, "default"));
  if (parsed.ok) return { ...spec, default: parsed.value };
  reader.report({
    rule: "bad-input",
    spot: reader.source.valueSpot(entry, "default"),
    message: `the default ${parsed.problem}`,
    hint: "change one of them, or leave the default out",
  });
  return spec;
}

function usablePattern(entry: InputEntry, reader: TextReader): string | undefined {
  if (entry.pattern === undefined) return undefined;
  return reader.pattern(entry, "pattern") ? entry.pattern : undefined;
}

export type ParsedInput =
  | { readonly ok: true; readonly value: JsonValue }
  /** Goes on a sentence: `must be a whole number, is "x"`. */
  | { readonly ok: false; readonly problem: string };

/** The typed value of an input that came as text; numbers keep a spelling of their own. */
export function parseInput(spec: InputRule, text: string): ParsedInput {
  const shown = JSON.stringify(text);
  switch (spec.type) {
    case "boolean":
      if (text === "true" || text === "false") return { ok: true, value: text === "true" };
      return { ok: false, problem: `must be true or false, is ${shown}` };
    case "integer":
      if (!/^[-+]?\d+$/.test(text)) {
        return { ok: false, problem: `must be a whole number, is ${shown}` };
      }
      return inRange(spec, text);
    case "number":
      if (text.trim() === "" || !Number.isFinite(Number(text))) {
        return { ok: false, problem: `must be a number, is ${shown}` };
      }
      return inRange(spec, text);
    case "choice":
      if (spec.options.includes(text) || spec.options.length === 0) {
        return { ok: true, value: text };
      }
      return { ok: false, problem: `must be one of ${spec.options.join(", ")}, is ${shown}` };
    case "string":
    case "path":
      return matching(spec, text);
  }
}

function inRange(spec: InputRule, text: string): ParsedInput {
  const value = Number(text);
  if (spec.min !== undefined && value < spec.min) {
    return { ok: false, problem: `must be at least ${spec.min}, is ${text}` };
  }
  if (spec.max !== undefined && value > spec.max) {
    return { ok: false, problem: `must be at most ${spec.max}, is ${text}` };
  }
  return { ok: true, value: keepSpelling(text) };
}

function matching(spec: InputRule, text: string): ParsedInput {
  if (spec.pattern !== undefined && !compilePattern(spec.pattern).fits(text)) {
    return { ok: false, problem: `must match ${spec.pattern}, is ${JSON.stringify(text)}` };
  }
  return { ok: true, value: text };
}

/** A number, as it was written: `1e-4`, `1.10`; text where it is none in JSON: `0755`, `+3`, `1_000`. */
export function keepSpelling(text: string): JsonValue {
  return ExactNumber.of(text) ?? text;
}
