/**
 * The expression language: CEL with Grid's functions, and arithmetic that mixes whole numbers,
 * fractions and numbers written as text, as outputs of a command are.
 */
import { parseJson } from "../core/exact_json.ts";
import { ExactNumber } from "../core/exact_number.ts";
import { own } from "../core/own.ts";
import { compilePattern, PatternFault, patternWords } from "../core/pattern.ts";
import { calculate, compare, isEqual, join, type Operand } from "./arithmetic.ts";
import { Environment } from "./cel_library.ts";
import { describeValue, fromCel, toCel } from "./cel_value.ts";
import { currentScope, LINEAR_MATCHES } from "./functions.ts";
import { spendOn } from "./step_budget.ts";

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
      (a: Operand, b: Operand) => isEqual(a, b),
    );
  }
  registerExact(environment);
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
  for (const name of ["steps", "matrix", "env", "node", "run"]) {
    environment.registerVariable(name, "dyn");
  }
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
    .registerFunction("fromJSON(string): dyn", (text: string) => fromJson(text))
    .registerFunction("env(string): string", (name: string) => variable(name))
    .registerFunction(
      "env(string, string): string",
      (name: string, otherwise: string) => own(currentScope().env, name) ?? otherwise,
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

function fromJson(text: string): unknown {
  try {
    return toCel(parseJson(text));
  } catch {
    throw new Error(`fromJSON() cannot read ${describeValue(text)} as JSON`);
  }
}

function variable(name: string): string {
  const value = own(currentScope().env, name);
  if (value !== undefined) return value;
  throw new Error(`environment variable ${name} is not set (env("${name}", "") gives a default)`);
}

const CALCULATIONS = ["-", "*", "/", "%"] as const;
const COMPARISONS = {
  "<": (order: number) => order < 0,
  "<=": (order: number) => order <= 0,
  ">": (order: number) => order > 0,
  ">=": (order: number) => order >= 0,
} as const;

/** Whole numbers beside fractions, and text beside numbers with `+`. */
function registerMixed(environment: Environment): void {
  for (const [left, right] of [["int", "double"], ["double", "int"]] as const) {
    for (const operator of ["+", ...CALCULATIONS]) {
      environment.registerOperator(
        `${left} ${operator} ${right}: double`,
        (a: Operand, b: Operand) => calculate(operator, a, b),
      );
    }
  }
  // The other order comes with it.
  environment.registerOperator("int == double", (a: Operand, b: Operand) => isEqual(a, b));
  environment.registerOperator("double % double: double", (a: number, b: number) => a % b);
  for (const number of ["int", "double"] as const) {
    environment
      .registerOperator(`string + ${number}: dyn`, (a: string, b: Operand) => join(a, b))
      .registerOperator(`${number} + string: dyn`, (a: Operand, b: string) => join(a, b));
  }
}

/** A text that is a number counts as one beside a number: `steps.a.outputs.loss < 0.5`. */
function registerLenient(environment: Environment, left: string, right: string): void {
  for (const operator of CALCULATIONS) {
    environment.registerOperator(
      `${left} ${operator} ${right}: double`,
      (a: Operand, b: Operand) => calculate(operator, a, b),
    );
  }
  for (const [operator, holds] of Object.entries(COMPARISONS)) {
    environment.registerOperator(
      `${left} ${operator} ${right}`,
      (a: Operand, b: Operand) => holds(compare(a, b)),
    );
  }
}

/** Numbers of JSON with more digits than `int` or `double` hold, and beside everything else. */
function registerExact(environment: Environment): void {
  const exact = "Number";
  environment.registerType(exact, ExactNumber)
    .registerFunction(`string(${exact}): string`, (value: ExactNumber) => value.text)
    .registerFunction(`double(${exact}): double`, (value: ExactNumber) => Number(value.text));
  const pairs = ["int", "double", "string"].flatMap((other) => [[exact, other], [other, exact]]);
  for (const [left = "", right = ""] of [...pairs, [exact, exact]]) {
    registerLenient(environment, left, right);
    environment.registerOperator(
      `${left} + ${right}: dyn`,
      (a: Operand, b: Operand) => join(a, b),
    );
  }
  // The other orders come with these.
  for (const other of ["int", "double", "string", exact]) {
    environment.registerOperator(
      `${exact} == ${other}`,
      (a: Operand, b: Operand) => isEqual(a, b),
    );
  }
}
