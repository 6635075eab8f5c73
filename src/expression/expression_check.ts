import { checkCall } from "./call_check.ts";
import { checkItem } from "./cell_check.ts";
import { celWords, trimmed } from "./cel_words.ts";
import { checkComparison } from "./comparison_check.ts";
import { checkConstant, checkZero } from "./constant_check.ts";
import { type Expression, parseExpression } from "./expression.ts";
import type { Problem } from "./expression_parts.ts";
import type { Names } from "./names.ts";
import { checkReference } from "./reference_check.ts";
import type { ExpressionUse, TextReader } from "./reader.ts";
import { checkTypes, typeOf } from "./type_check.ts";

/** Checks one expression; what is wrong is reported at the very word. */
export function checkExpression(use: ExpressionUse, names: Names, reader: TextReader): void {
  const expression = parse(use, reader);
  if (expression === undefined) return;
  const problems = problemsOf(expression, use, names);
  for (const { at, ...problem } of problems.length > 0 ? problems : cautionOf(use, names)) {
    reader.report({ ...problem, spot: use.spot(at) });
  }
}

/** A run refuses a value that is not harmless there. */
function cautionOf({ caution, source }: ExpressionUse, names: Names): readonly Problem[] {
  if (!caution || /^(int|double|bool)$/.test(typeOf(source, names.types) ?? "")) return [];
  return [{ severity: "warning", rule: "unsafe-value", at: trimmed(source), ...caution }];
}

function problemsOf(expression: Expression, use: ExpressionUse, names: Names): readonly Problem[] {
  const context = { source: use.source, names };
  const found = [
    ...expression.references.flatMap((reference) => checkReference(reference, context)),
    ...carriedProblems(expression, names),
    ...expression.items.flatMap((item) => checkItem(item, names)),
    ...expression.calls.flatMap((call) => checkCall(call, use.source)),
    ...expression.calls.flatMap(checkConstant),
    ...expression.zeros.map(checkZero),
    ...expression.comparisons.flatMap((comparison) => checkComparison(comparison, names)),
  ];
  const minus = found.find((problem) => problem.rule === "minus-in-name");
  if (minus) return [minus];
  const isSound = found.every((problem) => problem.severity === "warning");
  return isSound ? [...found, ...checkTypes(use, names)] : found;
}

/** To a template goes what reads the node as it is written, and of all else the value. */
function carriedProblems({ references }: Expression, { node }: Names): readonly Problem[] {
  const other = references.find(({ root }) => root.name !== "node");
  const reads = references.some(({ root }) => root.name === "node");
  if (!node.isCarried || !reads || other === undefined) return [];
  const message = `node and ${other.root.name} cannot be read in one expression beside uses:`;
  return [{ rule: "not-before", at: other.root, message, hint: "write two: ${{ … }}${{ … }}" }];
}

function parse(use: ExpressionUse, reader: TextReader): Expression | undefined {
  const report = ({ at, ...problem }: Problem) => {
    reader.report({ ...problem, spot: use.spot(at) });
    return undefined;
  };
  if (use.source.trim() === "") {
    const message = "the expression is empty";
    const hint = "write a value between ${{ and }}";
    return report({ rule: "bad-expression", at: { start: 0, end: 1 }, message, hint });
  }
  try {
    return parseExpression(use.source);
  } catch (error) {
    return report({ ...celWords(error, use.source), rule: "bad-expression" });
  }
}
