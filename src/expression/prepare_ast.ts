/**
 * Makes a parsed expression ready to run: every part of it is counted, its patterns run in the linear
 * engine, and the words `true` and `false`, which is all that a command can print, are conditions.
 *
 * The library has no budget of steps and its nodes keep what evaluates them in a property that they
 * replace at their first use, so that property is where the counting sits.
 */
import { ExactNumber } from "../core/exact_number.ts";
import type { ASTNode } from "./cel_library.ts";
import { CelMap } from "./cel_value.ts";
import { BINDING_MACROS } from "./expression_walker.ts";
import { LINEAR_MATCHES } from "./functions.ts";
import { nodesIn } from "./nesting.ts";
import { spend, spendOn } from "./step_budget.ts";

type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;

/** What the library's nodes have beside what their type says. */
interface Evaluated {
  evaluate: Evaluate;
}

/** Operators that make something out of parts, as large as all of them. */
const BUILDERS: ReadonlySet<string> = new Set(["+", "call", "rcall"]);

/** To be done once, before the first evaluation. */
export function prepareAst(root: ASTNode): void {
  const conditions = new Set<ASTNode>();
  const comparands = new Set<ASTNode>();
  const visit = (node: ASTNode) => {
    for (const operand of conditionsOf(node)) conditions.add(operand);
    for (const operand of comparandsOf(node)) comparands.add(operand);
    // A new word for it, since the library's own cannot be replaced.
    if (node.op === "rcall" && node.args[0] === "matches") node.args[0] = LINEAR_MATCHES;
    const change = conditions.has(node) ? truth : comparands.has(node) ? comparable : same;
    count(node, change);
    for (const inner of nodesIn(node.args)) visit(inner);
  };
  visit(root);
}

/** Parts that must be true or false. */
function conditionsOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case "!_":
      return [node.args];
    case "&&":
    case "||":
      return node.args;
    case "?:":
      return [node.args[0]];
    case "rcall": {
      const [name, , args] = node.args;
      const predicate = name === "map" ? args.length === 3 ? args[1] : undefined : args[1];
      return BINDING_MACROS.has(name) && name !== "bind" && predicate ? [predicate] : [];
    }
    default:
      return [];
  }
}

/** What is compared, or turned round, by the library's own operators. */
function comparandsOf(node: ASTNode): readonly ASTNode[] {
  if (node.op === "-_") return [node.args];
  return node.op === "==" || node.op === "!=" || node.op === "in" ? node.args : [];
}

function count(node: ASTNode, change: (value: unknown) => unknown): void {
  const evaluated = node as unknown as Evaluated;
  let inner = node.op === "map" ? evaluateMap(node.args) : evaluated.evaluate;
  const builds = BUILDERS.has(node.op);
  const counted: Evaluate = (evaluator, self, context) => {
    spend(1);
    const value = inner.call(node, evaluator, self, context);
    if (builds) spendOn(value);
    return change(value);
  };
  Object.defineProperty(node, "evaluate", {
    get: () => counted,
    set: (evaluate: Evaluate) => {
      if (node.op !== "map") inner = evaluate;
    },
  });
}

interface Evaluator {
  run(node: ASTNode, context: unknown): unknown;
}

/** `{"constructor": 1}`: the library's own leaves some names out. */
function evaluateMap(entries: readonly (readonly [ASTNode, ASTNode])[]): Evaluate {
  return (evaluator, _, context) => {
    const { run } = evaluator as Evaluator;
    const value = (node: ASTNode) => run.call(evaluator, node, context);
    return new CelMap(entries.map(([key, inner]) => [value(key), value(inner)]));
  };
}

function same(value: unknown): unknown {
  return value;
}

/** Inside of lists and maps the library knows no numbers but its own; going through them counts. */
function comparable(value: unknown): unknown {
  if (value instanceof ExactNumber) return value.plain ?? value;
  if (Array.isArray(value)) {
    spend(value.length);
    return value.map(comparable);
  }
  if (typeof value !== "object" || value === null) return value;
  if (!(value instanceof CelMap)) return value;
  spend(value.size);
  return new CelMap([...value].map(([key, inner]) => [key, comparable(inner)]));
}

function truth(value: unknown): unknown {
  return value === "true" ? true : value === "false" ? false : value;
}
