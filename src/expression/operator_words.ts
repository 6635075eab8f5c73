/** What CEL says of values beside an operator that does not take them. */
import type { ASTNode } from "./cel_library.ts";
import type { Problem, Span } from "./expression_parts.ts";
import { type TypeFault, typeWord, whole, wrongType } from "./type_fault.ts";

export function operatorProblem({ summary, at, source, node }: TypeFault): Problem | undefined {
  const [, left, operator = "", right] = /^no such overload: (.+?) (\S+) (.+)$/.exec(summary) ?? [];
  if (left === undefined || right === undefined) return undefined;
  return wrongType({
    at: operatorSpan({ node, operator, source }) ?? at,
    message: `${typeWord(left)} ${operator} ${typeWord(right)} has no meaning`,
    hint: comparedWithText(node, source) ?? "convert one side: string(…), int(…), double(…)",
  });
}

/** Between the two sides; sides in parentheses do not count theirs. */
function operatorSpan(
  { node, operator, source }: Pick<TypeFault, "node" | "source"> & { readonly operator: string },
): Span | undefined {
  const [left, right] = sidesOf(node) ?? [];
  if (left === undefined || right === undefined) return undefined;
  const start = source.indexOf(operator, left.end);
  return start === -1 || start >= right.start ? undefined : { start, end: start + operator.length };
}

/** `inputs.flag == 'true'` and `inputs.n == '3'`: what the text was meant to be. */
function comparedWithText(node: ASTNode | undefined, source: string): string | undefined {
  const [left, right] = sidesOf(node) ?? [];
  if (left === undefined || right?.op !== "value") return undefined;
  if (node?.op !== "==" && node?.op !== "!=") return undefined;
  const name = source.slice(left.start, left.end);
  const text = String(right.args);
  const type = typeFound(left);
  if (type === "bool" && (text === "true" || text === "false")) {
    return `write ${(text === "true") === (node.op === "==") ? "" : "!"}${name}`;
  }
  if (type !== "int" && type !== "double") return undefined;
  const isNumber = text.trim() !== "" && Number.isFinite(Number(text));
  return isNumber ? `write ${name} ${node.op} ${text}` : "compare it with a number, without quotes";
}

function sidesOf(node: ASTNode | undefined): readonly ASTNode[] | undefined {
  const args: unknown = node?.args;
  const isPair = Array.isArray(args) && args.length === 2 && args.every(isNode);
  return isPair ? args : undefined;
}

/** CEL leaves the type at each part that it has come through. */
function typeFound(node: ASTNode): string | undefined {
  return (node as { readonly checkedType?: { readonly name: string } }).checkedType?.name;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "start" in value;
}

/** `always() && inputs.n`, `!inputs.n` and `inputs.n ? …`. */
export function operandProblem({ summary, at, node }: TypeFault): Problem | undefined {
  const operand = /^Logical operator requires bool operands, got '(.+)'/.exec(summary)?.[1];
  if (operand !== undefined) {
    const side = sidesOf(node)?.find((side) => typeFound(side) === operand);
    const message = `&& and || take true or false, here is ${typeWord(operand)}`;
    return wrongType({ at: side ?? at, message, hint: compareHint(operand) });
  }
  const negated = /^no such overload: !(.+)$/.exec(summary)?.[1];
  if (negated !== undefined) {
    const message = `! takes true or false, here is ${typeWord(negated)}`;
    return wrongType({ at, message, hint: compareHint(negated) });
  }
  const condition = /^Ternary condition must be bool, got '(.+)'/.exec(summary)?.[1];
  if (condition === undefined) return undefined;
  const message = `? takes true or false before it, here is ${typeWord(condition)}`;
  return wrongType({ at: whole(node) ?? at, message, hint: compareHint(condition) });
}

/** What makes true or false of a value. */
export function compareHint(type: string): string {
  const example = type === "string"
    ? '== "yes"'
    : type === "int" || type === "double"
    ? "> 0"
    : "!= null";
  return `compare it with something, such as ${example}`;
}
