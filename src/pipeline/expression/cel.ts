/**
 * The expression language: CEL with Grid's functions, and arithmetic that mixes whole numbers,
 * fractions and numbers written as text, as outputs of a command are.
 */
import { compilePattern, PatternFault } from "../../core/pattern.ts";
import { patternWords } from "../pattern_words.ts";
import { Environment } from "./cel_library.ts";
import { describeValue, fromCel, toCel } from "./cel_value.ts";
import { currentScope, LINEAR_MATCHES } from "./functions.ts";
import { spendOn } from "./step_budget.ts";

type Num = number | bigint;

/** Every name may hold anything; used to evaluate, when values are known. */
export function evaluationEnvironment(): Environment {
  const environment = withFunctions(
    new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false }),
  );
  environment.registerFunction(`string.${LINEAR_MATCHES}(string): bool`, matches);
  for (const [left, right] of [["string", "int"], ["string", "double"]] as const) {
    registerLenient(environment, left, right);
    registerLenient(environment, right, left);
    environment.registerOperator(
      `${left} == ${right}`,
      (a: Loose, b: Loose) => Number(a) === Number(b),
    );
  }
  return environment;
}

/** Inputs have their declared types; used to check a file before anything runs. */
export function checkEnvironment(
  inputTypes: Readonly<Record<string, string>> | undefined,
): Environment {
  const environment = withFunctions(
    new Environment({ unlistedVariablesAreDyn: false, homogeneousAggregateLiterals: false }),
  );
  if (inputTypes) environment.registerType({ name: "Inputs", schema: { ...inputTypes } });
  environment.registerVariable("inputs", inputTypes ? "Inputs" : "dyn");
  for (const name of ["steps", "matrix", "env", "run"]) environment.registerVariable(name, "dyn");
  environment.registerVariable("attempt", "int");
  return environment;
}

function withFunctions(environment: Environment): Environment {
  environment
    .registerFunction("success(): bool", () => currentScope().status.success)
    .registerFunction("failure(): bool", () => currentScope().status.failure)
    .registerFunction("cancelled(): bool", () => currentScope().status.cancelled)
    .registerFunction("always(): bool", () => true)
    .registerFunction("toJSON(dyn): string", (value: unknown) => JSON.stringify(fromCel(value)))
    .registerFunction("fromJSON(string): dyn", (text: string) => parseJson(text))
    .registerFunction("env(string): string", (name: string) => variable(name))
    .registerFunction(
      "env(string, string): string",
      (name: string, otherwise: string) => currentScope().env[name] ?? otherwise,
    );
  for (let count = 1; count <= 4; count++) {
    const signature = `hashFiles(${Array(count).fill("string").join(", ")}): string`;
    environment.registerFunction(
      signature,
      (...patterns: string[]) => currentScope().hashFiles(patterns),
    );
  }
  registerMixed(environment);
  return environment;
}

function matches(text: string, pattern: string): boolean {
  spendOn(text);
  try {
    return compilePattern(pattern).test(text);
  } catch (error) {
    if (!(error instanceof PatternFault)) throw error;
    const { message } = patternWords(error);
    throw new Error(`matches() cannot take ${describeValue(pattern)}: ${message}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return toCel(JSON.parse(text));
  } catch {
    throw new Error(`fromJSON() cannot read ${describeValue(text)} as JSON`);
  }
}

function variable(name: string): string {
  const value = currentScope().env[name];
  if (value !== undefined) return value;
  throw new Error(`environment variable ${name} is not set (env("${name}", "") gives a default)`);
}

/** Whole numbers beside fractions, and text beside numbers with `+`. */
function registerMixed(environment: Environment): void {
  for (const [left, right] of [["int", "double"], ["double", "int"]] as const) {
    environment
      .registerOperator(`${left} + ${right}: double`, (a: Num, b: Num) => Number(a) + Number(b))
      .registerOperator(`${left} - ${right}: double`, (a: Num, b: Num) => Number(a) - Number(b))
      .registerOperator(`${left} * ${right}: double`, (a: Num, b: Num) => Number(a) * Number(b))
      .registerOperator(`${left} / ${right}: double`, (a: Num, b: Num) => Number(a) / Number(b))
      .registerOperator(`${left} % ${right}: double`, (a: Num, b: Num) => Number(a) % Number(b));
  }
  // The other order comes with it.
  environment.registerOperator("int == double", (a: Num, b: Num) => Number(a) === Number(b));
  environment.registerOperator("double % double: double", (a: number, b: number) => a % b);
  for (const number of ["int", "double"] as const) {
    environment
      .registerOperator(`string + ${number}: dyn`, (a: string, b: Num) => join(a, b))
      .registerOperator(`${number} + string: dyn`, (a: Num, b: string) => join(a, b));
  }
}

type Loose = string | Num;

/** A text that is a number counts as one beside a number: `steps.a.outputs.loss < 0.5`. */
function registerLenient(environment: Environment, left: string, right: string): void {
  environment
    .registerOperator(`${left} - ${right}: double`, (a: Loose, b: Loose) => number(a) - number(b))
    .registerOperator(`${left} * ${right}: double`, (a: Loose, b: Loose) => number(a) * number(b))
    .registerOperator(`${left} / ${right}: double`, (a: Loose, b: Loose) => number(a) / number(b))
    .registerOperator(`${left} % ${right}: double`, (a: Loose, b: Loose) => number(a) % number(b))
    .registerOperator(`${left} < ${right}`, (a: Loose, b: Loose) => number(a) < number(b))
    .registerOperator(`${left} <= ${right}`, (a: Loose, b: Loose) => number(a) <= number(b))
    .registerOperator(`${left} > ${right}`, (a: Loose, b: Loose) => number(a) > number(b))
    .registerOperator(`${left} >= ${right}`, (a: Loose, b: Loose) => number(a) >= number(b));
}

function join(a: Loose, b: Loose): Loose {
  const text = typeof a === "string" ? a : b as string;
  return isNumeric(text) ? number(a) + number(b) : `${a}${b}`;
}

function number(value: Loose): number {
  if (typeof value !== "string") return Number(value);
  if (isNumeric(value)) return Number(value);
  throw new Error(`${describeValue(value)} is not a number`);
}

function isNumeric(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}
