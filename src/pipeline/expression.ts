import type { ASTNode, Environment, ParseResult } from "@marcbachmann/cel-js";
import { lazy } from "../core/lazy.ts";

/** Offsets inside the expression's source. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Named extends Span {
  readonly name: string;
}

/** `steps.train.outputs.loss`: a root name and the constant part of the path after it. */
export interface Reference {
  readonly root: Named;
  readonly path: readonly Named[];
  /** The reference stands inside `has(…)`, where the last part may be missing. */
  readonly optional: boolean;
}

export interface Call extends Named {
  readonly argumentCount: number;
}

/** One `${{ … }}`, parsed. */
export interface Expression {
  readonly source: string;
  readonly references: readonly Reference[];
  readonly calls: readonly Call[];
  readonly evaluate: ParseResult;
}

let environment: Environment | undefined;

/** The language itself, which takes a moment to load; needed before the first expression is parsed. */
export async function loadCel(): Promise<typeof import("./cel.ts")> {
  const cel = await lazy<typeof import("./cel.ts")>("./cel.ts", import.meta.url);
  environment ??= cel.evaluationEnvironment();
  return cel;
}

/** The same expression often stands in hundreds of cells and steps. */
const parsed = new Map<string, Expression>();

/**
 * Parses once per source text.
 *
 * @throws CEL's ParseError
 */
export function parseExpression(source: string): Expression {
  const known = parsed.get(source);
  if (known) return known;
  if (environment === undefined) throw new Error("an expression before its language was loaded");
  const evaluate = environment.parse(source);
  const walker = new Walker();
  walker.visit(evaluate.ast);
  const { references, calls } = walker;
  const expression = { source, references, calls, evaluate };
  parsed.set(source, expression);
  return expression;
}

/** Macros whose first argument names a variable for the ones after it. */
const BINDING_MACROS = new Set(["map", "filter", "all", "exists", "exists_one", "bind"]);

class Walker {
  readonly references: Reference[] = [];
  readonly calls: Call[] = [];
  readonly #bound: string[] = [];

  visit(node: ASTNode, optional = false): void {
    switch (node.op) {
      case "value":
        return;
      case "id":
      case ".":
      case "[]":
        return this.#access(node, optional);
      case "call": {
        const [name, args] = node.args;
        this.calls.push({ name, ...from(node.start, name), argumentCount: args.length });
        for (const arg of args) this.visit(arg, name === "has");
        return;
      }
      case "rcall":
        return this.#method(...node.args);
      case "list":
        for (const item of node.args) this.visit(item);
        return;
      case "map":
        for (const [key, value] of node.args) {
          this.visit(key);
          this.visit(value);
        }
        return;
      case "!_":
      case "-_":
        return this.visit(node.args, optional);
      case ".?":
        return this.visit(node.args[0], true);
      default:
        for (const operand of node.args) this.visit(operand, optional);
    }
  }

  #method(name: string, receiver: ASTNode, args: readonly ASTNode[]): void {
    const [first, ...rest] = args;
    const isBinding = BINDING_MACROS.has(name) && first?.op === "id" && rest.length > 0;
    if (!isBinding) {
      this.visit(receiver);
      for (const arg of args) this.visit(arg);
      return;
    }
    if (!(receiver.op === "id" && receiver.args === "cel")) this.visit(receiver);
    this.#bound.push(first.args);
    for (const arg of rest) this.visit(arg);
    this.#bound.pop();
  }

  /** Unrolls `a.b["c"]` into a root and a path; stops at the first part that is not constant. */
  #access(node: ASTNode, optional: boolean): void {
    const path: Named[] = [];
    let rest = node;
    while (rest.op === "." || rest.op === "[]") {
      const [inner, key] = rest.args;
      if (typeof key === "string") {
        path.unshift({ name: key, start: rest.end - key.length, end: rest.end });
      } else if (key.op === "value" && typeof key.args === "string") {
        path.unshift({ name: key.args, start: key.start, end: key.end });
      } else {
        this.visit(key);
        path.length = 0;
      }
      rest = inner;
    }
    if (rest.op !== "id") return this.visit(rest);
    if (this.#bound.includes(rest.args)) return;
    const root = { name: rest.args, start: rest.start, end: rest.end };
    this.references.push({ root, path, optional });
  }
}

function from(start: number, name: string): Span {
  return { start, end: start + name.length };
}
