import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { own } from "../core/own.ts";
import { during } from "../core/whereabouts.ts";
import type { Text, TextPart } from "./text.ts";
import { CelMap, describeValue, fromCel, toCel, toText } from "./cel_value.ts";
import { type Expression, parseExpression } from "./expression.ts";
import { LINEAR_MATCHES, withScope } from "./functions.ts";
import { partReads } from "./node_reference.ts";
import { EXPRESSION_STEPS, StepsExhausted, withSteps } from "./step_budget.ts";

/** What names and functions stand for while a step is made ready. */
export interface EvaluationScope {
  readonly inputs: Readonly<Record<string, JsonValue>>;
  readonly steps: Readonly<Record<string, StepScope>>;
  readonly matrix: Readonly<Record<string, JsonValue>> | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly run: { readonly id: string; readonly pipeline: string };
  /** The chosen node; while it is not known, expressions that read it stay as they are written. */
  readonly node?: NodeScope | undefined;
  /** Counts from 1. */
  readonly attempt: number;
  readonly status: {
    readonly success: boolean;
    readonly failure: boolean;
    readonly cancelled: boolean;
  };
  /** Steps that one expression may take; `EXPRESSION_STEPS` where nothing is said. */
  readonly budget?: number;
  /** One digest over the files that match; `""` where none does. */
  hashFiles(patterns: readonly string[]): string;
}

export interface StepScope {
  readonly outputs: Readonly<Record<string, JsonValue>>;
  readonly state: string;
  readonly node: string | undefined;
  /** It is no part of this run, by `--from` or `--only`. */
  readonly skippedSteps?: boolean;
  /** Outputs of an earlier run that held a secret, and are not known any more. */
  readonly unkept?: readonly string[];
  /** For a matrix: one entry per cell. */
  readonly matrix?: JsonValue;
  /** For a step on many nodes: one entry per rank. */
  readonly ranks?: JsonValue;
}

export interface NodeScope {
  readonly name: string;
  /** As the cluster config gives them. */
  readonly vars: Readonly<Record<string, string>>;
}

export type ExpressionPart = Extract<TextPart, { kind: "expression" }>;

/**
 * The text with every expression replaced by its value.
 *
 * @throws {GridError} `step-failed` with the expression's place where a value is missing or unfit
 */
export function evaluateText(text: Text, scope: EvaluationScope): string {
  return join(text, (part) => toText(evaluatePart(part, scope)));
}

/** A text that is one single expression keeps its type; any other becomes a string. */
export function evaluateValue(text: Text, scope: EvaluationScope): JsonValue {
  const [only, ...more] = text.parts;
  if (only?.kind === "expression" && more.length === 0) return evaluatePart(only, scope);
  return evaluateText(text, scope);
}

/** The value of an `if`; the words `true` and `false`, as commands print them, count too. */
export function evaluateCondition(text: Text, scope: EvaluationScope): boolean {
  const value = evaluateValue(text, scope);
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw new GridError({
    code: "step-failed",
    message: `Cannot decide the condition: it is ${describeValue(value)}, not true or false`,
    hint: 'compare it with something, for example == "yes"',
    place: text.place,
  });
}

function join(text: Text, value: (part: ExpressionPart) => string): string {
  return text.parts.map((part) => part.kind === "literal" ? part.value : value(part)).join("");
}

/** @throws {GridError} `step-failed` with the expression's place where a value is missing or unfit */
export function evaluatePart(part: ExpressionPart, scope: EvaluationScope): JsonValue {
  if (scope.node === undefined && partReads(part)) return `\${{${part.source}}}`;
  const expression = parseExpression(part.source);
  try {
    return withScope(scope, () => {
      const context = contextFor(expression, scope);
      const steps = scope.budget ?? EXPRESSION_STEPS;
      return fromCel(during(
        () => `\${{ ${part.source.trim().slice(0, 200)} }} (${part.place.file}:${part.place.line})`,
        () => withSteps(steps, () => expression.evaluate(context)),
      ));
    });
  } catch (error) {
    throw evaluationFailed(part, error, { expression, scope });
  }
}

interface Context {
  inputs?: unknown;
  matrix?: unknown;
  env?: unknown;
  run?: unknown;
  attempt?: bigint;
  node?: unknown;
  steps?: CelMap;
}

/** Only what the expression mentions is converted; a run may have ten thousand steps. */
function contextFor(expression: Expression, scope: EvaluationScope): Context {
  const context: Context = {};
  for (const { root, path } of expression.references) {
    switch (root.name) {
      case "inputs":
        context.inputs ??= toCel(scope.inputs);
        break;
      case "matrix":
        context.matrix ??= toCel(scope.matrix ?? {});
        break;
      case "env":
        context.env ??= toCel(scope.env);
        break;
      case "run":
        context.run ??= toCel({ ...scope.run });
        break;
      case "node":
        context.node ??= toCel(scope.node?.vars ?? {});
        break;
      case "attempt":
        context.attempt ??= BigInt(scope.attempt);
        break;
      case "steps": {
        const wanted = path[0] === undefined ? Object.keys(scope.steps) : [path[0].name];
        addSteps(context.steps ??= new CelMap(), wanted, scope);
        break;
      }
    }
  }
  return context;
}

function addSteps(into: CelMap, ids: readonly string[], scope: EvaluationScope): void {
  for (const id of ids) {
    const step = into.has(id) ? undefined : own(scope.steps, id);
    if (step === undefined) continue;
    const { outputs, state, node = null, matrix = null, ranks } = step;
    into.set(id, toCel({ outputs, state, node, matrix, ...(ranks !== undefined && { ranks }) }));
  }
}

interface FailureContext {
  readonly expression: Expression;
  readonly scope: EvaluationScope;
}

function evaluationFailed(
  part: ExpressionPart,
  error: unknown,
  context: FailureContext,
): GridError {
  if (error instanceof GridError) return error;
  const cause = missingOutput(context) ?? missingVariable(context) ??
    missingValue(context) ?? summaryOf(error);
  return new GridError({
    code: "step-failed",
    message: `Cannot evaluate \${{ ${part.source.trim()} }}: ${cause.message}`,
    hint: cause.hint,
    place: part.place,
    cause: error,
  });
}

/** By far the most frequent failure: a step that did not write the output it is asked for. */
function missingOutput(context: FailureContext): { message: string; hint: string } | undefined {
  for (const { root, path } of context.expression.references) {
    const [step, field, output] = path.map((part) => part.name);
    if (root.name !== "steps" || step === undefined || field !== "outputs") continue;
    const state = own(context.scope.steps, step);
    if (output === undefined || state === undefined) continue;
    if (Object.hasOwn(state.outputs, output)) continue;
    if (state.skippedSteps) {
      return {
        message: `step "${step}" was left out of this run`,
        hint:
          "to keep what it gave in an earlier run: grid resume RUN with the same --only or --from",
      };
    }
    if (state.unkept?.includes(output)) {
      return {
        message: `the output "${output}" of step "${step}" held a secret, which no journal keeps`,
        hint: `run that step again: grid resume RUN --from ${step}`,
      };
    }
    const known = Object.keys(state.outputs);
    const list = known.length === 0 ? "it wrote none" : `it wrote: ${known.join(", ")}`;
    return {
      message: `step "${step}" (${state.state}) has no output "${output}"`,
      hint: `${list}; write it with echo "${output}=…" >> "$GRID_OUTPUT"`,
    };
  }
  return undefined;
}

/** `env.NAME`, where CEL would only speak of a key. */
function missingVariable(context: FailureContext): { message: string; hint: string } | undefined {
  for (const { root, path, optional } of context.expression.references) {
    const [name] = path.map((part) => part.name);
    if (root.name !== "env" || name === undefined || optional) continue;
    if (Object.hasOwn(context.scope.env, name)) continue;
    return {
      message: `environment variable ${name} is not set`,
      hint: `env("${name}", "") gives a default`,
    };
  }
  return undefined;
}

/** `node.scratch`, where the config gives the chosen node no such value. */
function missingValue(
  { expression, scope: { node } }: FailureContext,
): { message: string; hint: string } | undefined {
  for (const { root, path: [name], optional } of expression.references) {
    if (root.name !== "node" || name === undefined || optional || !node) continue;
    if (Object.hasOwn(node.vars, name.name)) continue;
    return {
      message: `the cluster config gives node "${node.name}" no value "${name.name}"`,
      hint: `add it there: vars: { ${name.name}: … }, for this node or under defaults:`,
    };
  }
  return undefined;
}

/** CEL's own words without its drawing of the place, which Grid shows itself. */
function summaryOf(error: unknown): { message: string; hint?: string } {
  if (error instanceof StepsExhausted) {
    const hint =
      "work through long lists in a script; each .map(), .all() … inside another multiplies";
    return { message: error.message, hint };
  }
  if (error instanceof Error && "summary" in error) {
    const text = String(error.summary).replaceAll(LINEAR_MATCHES, "matches");
    return { message: text.charAt(0).toLowerCase() + text.slice(1) };
  }
  return { message: error instanceof Error ? error.message : String(error) };
}
