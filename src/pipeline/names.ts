import type { Environment } from "@marcbachmann/cel-js";
import { nearest } from "../core/did_you_mean.ts";
import { suggest } from "../document/check.ts";
import { celWords, type Problem, trimmed, typeWord } from "./cel_words.ts";
import { type Expression, type Named, parseExpression, type Reference } from "./expression.ts";
import { FUNCTIONS } from "./functions.ts";
import type { ExpressionUse, TextReader } from "./text_reader.ts";

/** What the names in an expression may mean where it stands. */
export interface Names {
  /** Undefined where the declarations could not be read, and anything may be meant. */
  readonly inputs: ReadonlySet<string> | undefined;
  readonly types: Environment;
  /** Steps of the file; empty where no step can be asked, as in the file's own `env`. */
  readonly steps: ReadonlySet<string>;
  /** The step that holds the expression. */
  readonly self: string | undefined;
  isAncestor(step: string): boolean;
  /** Whether the step stands for the cells of a matrix, each with outputs of its own. */
  hasCells(step: string): boolean;
  /** Outputs where they are all known, as those of a template. */
  outputsOf(step: string): ReadonlySet<string> | undefined;
  /** Axes of the step's matrix. */
  readonly matrix: ReadonlySet<string> | undefined;
}

const ROOTS = ["inputs", "steps", "matrix", "env", "run", "attempt"];
const STEP_FIELDS = new Set(["outputs", "state", "node", "matrix"]);
const RUN_FIELDS = new Set(["id", "pipeline"]);

/** Words of other runners, and what to write here. */
const FOREIGN: Readonly<Record<string, string>> = {
  secrets: "list the secret under secrets: and read it as an environment variable",
  needs: "write steps.<id>.outputs.<name>",
  params: "write inputs.<name>",
  vars: "write inputs.<name> or env.<NAME>",
  github: 'write env("GITHUB_…")',
  strategy: "write matrix.<axis>",
};

/** Checks one expression; what is wrong is reported at the very word. */
export function checkExpression(use: ExpressionUse, names: Names, reader: TextReader): void {
  const expression = parse(use, reader);
  if (expression === undefined) return;
  const problems = [
    ...expression.references.flatMap((reference) => checkReference(reference, use, names)),
    ...expression.calls.flatMap((call) => checkCall(call, names)),
  ];
  const minus = problems.find((problem) => problem.rule === "minus-in-name");
  const found = minus ? [minus] : problems.length > 0 ? problems : checkTypes(use, names);
  for (const { rule, at, message, hint } of found) {
    reader.report({ rule, spot: use.spot(at), message, hint });
  }
}

function parse(use: ExpressionUse, reader: TextReader): Expression | undefined {
  if (use.source.trim() === "") {
    const spot = use.spot({ start: 0, end: 1 });
    const message = "the expression is empty";
    reader.report({
      rule: "bad-expression",
      spot,
      message,
      hint: "write a value between ${{ and }}",
    });
    return undefined;
  }
  try {
    return parseExpression(use.source);
  } catch (error) {
    reader.report({ rule: "bad-expression", ...celProblem(error, use) });
    return undefined;
  }
}

function checkReference(reference: Reference, use: ExpressionUse, names: Names): Problem[] {
  const { root, path } = reference;
  switch (root.name) {
    case "inputs":
      if (path[0] === undefined || names.inputs === undefined) return [];
      return known(path[0], names.inputs, "input", use);
    case "steps":
      return checkStep(path, use, names);
    case "matrix":
      return checkMatrix(reference, use, names);
    case "run":
      return path[0] === undefined ? [] : known(path[0], RUN_FIELDS, "field of run", use);
    case "env":
    case "attempt":
      return [];
    default:
      return [unknownRoot(root)];
  }
}

function unknownRoot(root: Named): Problem {
  if (root.name in FUNCTIONS) {
    const message = `${root.name} is a function`;
    return { rule: "unknown-name", at: root, message, hint: `write ${root.name}()` };
  }
  const foreign = FOREIGN[root.name];
  const hint = foreign ?? suggest(root.name, ROOTS, "names");
  return { rule: "unknown-name", at: root, message: `unknown name "${root.name}"`, hint };
}

function checkStep(path: readonly Named[], use: ExpressionUse, names: Names): Problem[] {
  const [step, field, output] = path;
  if (step === undefined) return [];
  if (names.steps.size === 0) {
    const message = "steps cannot be read here, before any of them has run";
    const hint = "move the value into the env: of the step that needs it";
    return [{ rule: "not-before", at: step, message, hint }];
  }
  const unknown = known(step, names.steps, "step", use);
  if (unknown.length > 0) return unknown;
  const problems: Problem[] = [];
  if (step.name === names.self) {
    const message = `step "${step.name}" cannot read its own results`;
    return [{ rule: "not-before", at: step, message }];
  }
  if (!names.isAncestor(step.name)) {
    problems.push({
      rule: "not-before",
      at: step,
      message: `step "${step.name}" may not have ended when this one starts`,
      hint: `add needs: ${step.name}, or after: ${step.name}`,
    });
  }
  if (field === undefined) return problems;
  problems.push(...known(field, STEP_FIELDS, "field of a step", use));
  if (field.name === "outputs" && names.hasCells(step.name)) {
    return [...problems, {
      rule: "matrix-outputs",
      at: field,
      message: `step "${step.name}" has a matrix: its outputs belong to its cells`,
      hint: `write steps.${step.name}.matrix, a list with the outputs of each cell`,
    }];
  }
  const outputs = names.outputsOf(step.name);
  if (field.name === "outputs" && output !== undefined && outputs !== undefined) {
    problems.push(...known(output, outputs, `output of "${step.name}"`, use));
  }
  return problems;
}

function checkMatrix(reference: Reference, use: ExpressionUse, names: Names): Problem[] {
  const [axis] = reference.path;
  if (names.matrix === undefined) {
    const message = "matrix has no meaning here: the step has no matrix:";
    return [{ rule: "unknown-name", at: reference.root, message }];
  }
  return axis === undefined || reference.optional ? [] : known(axis, names.matrix, "axis", use);
}

/** Whether a name is known; a name with a dash that CEL took for a minus gets its own words. */
function known(
  part: Named,
  candidates: ReadonlySet<string>,
  noun: string,
  use: ExpressionUse,
): Problem[] {
  if (candidates.has(part.name)) return [];
  const tail = /^(-[A-Za-z0-9_]+)+/.exec(use.source.slice(part.end))?.[0] ?? "";
  const dashed = [...candidates].find((name) =>
    name.startsWith(`${part.name}-`) && `${part.name}${tail}`.startsWith(name)
  );
  if (dashed !== undefined) {
    const before = use.source.slice(0, part.start).replace(/\.\s*$/, "").trim();
    return [{
      rule: "minus-in-name",
      at: { start: part.start, end: part.start + dashed.length },
      message: `the - in ${dashed} is a minus here`,
      hint: `write ${before}["${dashed}"]`,
    }];
  }
  return [{
    rule: `unknown-${noun.split(" ")[0]}`,
    at: part,
    message: noun.startsWith("output of ")
      ? `${noun.slice("output of ".length)} has no output "${part.name}"`
      : `unknown ${noun} "${part.name}"`,
    hint: suggest(part.name, [...candidates], noun.includes(" ") ? "names" : pluralOf(noun)),
  }];
}

function pluralOf(noun: string): string {
  return noun === "axis" ? "axes" : `${noun}s`;
}

function checkCall(call: Expression["calls"][number], _names: Names): Problem[] {
  const counts = FUNCTIONS[call.name];
  if (counts === undefined) {
    const best = nearest(call.name, Object.keys(FUNCTIONS));
    const all = "success, failure, always, cancelled, toJSON, fromJSON, hashFiles, env";
    const hint = best === undefined ? `functions: ${all}` : `did you mean "${best}"?`;
    return [{
      rule: "unknown-function",
      at: call,
      message: `unknown function "${call.name}"`,
      hint,
    }];
  }
  if (counts.includes(call.argumentCount)) return [];
  const wanted = counts.length === 1 ? `${counts[0]}` : `${counts[0]} to ${counts.at(-1)}`;
  return [{
    rule: "wrong-arguments",
    at: call,
    message: `${call.name}() takes ${wanted} argument${wanted === "1" ? "" : "s"}, ` +
      `here are ${call.argumentCount}`,
  }];
}

function checkTypes(use: ExpressionUse, names: Names): Problem[] {
  const { valid, type, error } = names.types.check(use.source);
  if (!valid) {
    const { message, hint, at } = celWords(error, use.source);
    return [{ rule: "wrong-type", at, message, ...(hint === undefined ? {} : { hint }) }];
  }
  if (use.wants === "condition" && type !== "bool" && type !== "dyn") {
    return [{
      rule: "wrong-type",
      at: trimmed(use.source),
      message: `a condition must be true or false, this is ${typeWord(type ?? "")}`,
      hint: 'compare it with something, for example == "yes"',
    }];
  }
  return [];
}

function celProblem(error: unknown, use: ExpressionUse) {
  const { message, hint, at } = celWords(error, use.source);
  return { spot: use.spot(at), message, hint };
}
