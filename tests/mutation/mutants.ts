/** Small wrong changes of a source file, one at a time, found in its syntax tree. */
import ts from "typescript";

export interface Mutant {
  /** Line of the change, from 1. */
  readonly line: number;
  readonly from: string;
  readonly to: string;
  /** The whole file with this one change. */
  readonly text: string;
}

const OPPOSITES = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.LessThanToken, "<="],
  [ts.SyntaxKind.LessThanEqualsToken, "<"],
  [ts.SyntaxKind.GreaterThanToken, ">="],
  [ts.SyntaxKind.GreaterThanEqualsToken, ">"],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, "==="],
  [ts.SyntaxKind.AmpersandAmpersandToken, "||"],
  [ts.SyntaxKind.BarBarToken, "&&"],
  [ts.SyntaxKind.PlusToken, "-"],
  [ts.SyntaxKind.MinusToken, "+"],
]);

/** Every change that one of five rules makes: operators, `!`, true and false, `if`, calls left out. */
export function mutantsOf(path: string, text: string): Mutant[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Mutant[] = [];
  const change = (node: ts.Node, to: string) => {
    const [start, end] = [node.getStart(file), node.getEnd()];
    found.push({
      line: file.getLineAndCharacterOfPosition(start).line + 1,
      from: text.slice(start, end),
      to,
      text: text.slice(0, start) + to + text.slice(end),
    });
  };
  const visit = (node: ts.Node): void => {
    // Types have no behaviour.
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node)) return;
    if (ts.isBinaryExpression(node)) {
      const opposite = OPPOSITES.get(node.operatorToken.kind);
      if (opposite !== undefined) change(node.operatorToken, opposite);
    } else if (ts.isPrefixUnaryExpression(node) && isNot(node)) {
      change(node, node.operand.getText(file));
    } else if (node.kind === ts.SyntaxKind.TrueKeyword) change(node, "false");
    else if (node.kind === ts.SyntaxKind.FalseKeyword) change(node, "true");
    else if (ts.isIfStatement(node)) change(node.expression, "false");
    else if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) {
      change(node, ";");
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function isNot({ operator }: ts.PrefixUnaryExpression): boolean {
  return operator === ts.SyntaxKind.ExclamationToken;
}
