import type { Environment, ParseResult } from "./cel_library.ts";
import { lazy } from "../core/lazy.ts";
import type { Call, Comparison, ItemReference, Reference, Zero } from "./expression_parts.ts";
import { checkNesting } from "./nesting.ts";
import { prepareAst } from "./prepare_ast.ts";
import { Walker } from "./expression_walker.ts";

/** One `${{ … }}`, parsed. */
export interface Expression {
  readonly source: string;
  readonly references: readonly Reference[];
  /** Names inside the items of a list that a macro goes through. */
  readonly items: readonly ItemReference[];
  readonly calls: readonly Call[];
  readonly comparisons: readonly Comparison[];
  readonly zeros: readonly Zero[];
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
 * @throws CEL's ParseError, and TooDeep
 */
export function parseExpression(source: string): Expression {
  const known = parsed.get(source);
  if (known) return known;
  if (environment === undefined) throw new Error("an expression before its language was loaded");
  const evaluate = environment.parse(source);
  checkNesting(evaluate.ast);
  const walker = new Walker(source);
  walker.visit(evaluate.ast);
  prepareAst(evaluate.ast);
  const { references, items, calls, comparisons, zeros } = walker;
  const expression = { source, references, items, calls, comparisons, zeros, evaluate };
  parsed.set(source, expression);
  return expression;
}
