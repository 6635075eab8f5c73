/** What CEL says of types that do not go together, in plainer words and with a way out. */
import type { ASTNode } from "@marcbachmann/cel-js";
import type { Problem, Span } from "./expression_parts.ts";

export interface TypeFault {
  readonly summary: string;
  readonly at: Span;
  readonly source: string;
  readonly node: ASTNode | undefined;
}

/** Undefined where the mistake is another one. */
export function typeProblem(fault: TypeFault): Problem | undefined {
  return operatorProblem(fault) ?? operandProblem(fault) ?? callProblem(fault) ??
    fieldProblem(fault) ?? rangeProblem(fault) ?? ternaryProblem(fault);
}

function operatorProblem({ summary, at, source, node }: TypeFault): Problem | undefined {
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
function operandProblem({ summary, at, node }: TypeFault): Problem | undefined {
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

/** A function that is known, but not for such values. */
function callProblem({ summary, at, source, node }: TypeFault): Problem | undefined {
  const method = /^found no matching overload for '(.+?)\.(\w+)\((.*)\)'/.exec(summary);
  if (method) {
    const [, type = "", name = "", values = ""] = method;
    const receiver = node?.op === "rcall" ? node.args[1] : undefined;
    const start = receiver === undefined ? at.start : source.indexOf(name, receiver.end);
    const place = { start, end: start + name.length };
    const takes = OF_TEXT.has(name) && type === "string";
    const message = takes
      ? `${name}() does not take ${valueWords(values)}`
      : `${typeWord(type)} has no function ${name}()`;
    return wrongType({ at: place, message, hint: takes ? "it takes one text" : undefined });
  }
  const call = /^found no matching overload for '(\w+)\((.*)\)'/.exec(summary);
  if (!call) return undefined;
  const [, name = "", values = ""] = call;
  return wrongType({
    at: { start: at.start, end: at.start + name.length },
    message: `${name}() does not take ${valueWords(values)}`,
    hint: TAKES[name],
  });
}

const OF_TEXT = new Set(["contains", "startsWith", "endsWith", "matches"]);

const TAKES: Readonly<Partial<Record<string, string>>> = {
  size: "it counts the letters of a text or the items of a list",
  hashFiles: 'it takes texts: hashFiles("src/**")',
  fromJSON: "it takes a text",
  env: 'it takes a name as text: env("HOME")',
};

function valueWords(types: string): string {
  return types === "" ? "nothing" : types.split(", ").map(typeWord).join(", ");
}

/** `inputs.n.length`: a plain value has no fields. */
function fieldProblem({ summary, at, source, node }: TypeFault): Problem | undefined {
  const type = /^Cannot index type '(.+)'/.exec(summary)?.[1];
  if (type === undefined || (node?.op !== "." && node?.op !== "[]")) return undefined;
  const [inner, key] = node.args;
  const name = source.slice(inner.start, inner.end);
  const message = `${name} is ${typeWord(type)}: it has no fields`;
  const isLength = key === "length" || key === "size" || key === "count";
  return wrongType({
    at: typeof key === "string" ? at : key,
    message,
    hint: isLength ? `write size(${name})` : `write ${name}`,
  });
}

/** `inputs.s.map(c, c)`, where the input is no list. */
function rangeProblem({ summary, at, source, node }: TypeFault): Problem | undefined {
  const type = /^Expression of type '(.+)' cannot be range/.exec(summary)?.[1];
  if (type === undefined) return undefined;
  const place = whole(node) ?? at;
  const message = `${source.slice(place.start, place.end)} is ${typeWord(type)}, not a list`;
  const hint = type === "string" ? "fromJSON(…) makes a list of JSON text" : undefined;
  return wrongType({ at: place, message, hint });
}

function ternaryProblem({ summary, at, node }: TypeFault): Problem | undefined {
  const found = /^Ternary branches must have the same type, got '(.+)' and '(.+)'/.exec(summary);
  if (!found) return undefined;
  const [, left = "", right = ""] = found;
  const other = node?.op === "?:" ? node.args[2] : undefined;
  const message = `both values after ? must be alike, these are ${typeWord(left)} and ` +
    typeWord(right);
  return wrongType({ at: other ?? at, message, hint: "convert one: string(…), int(…), double(…)" });
}

function whole(node: ASTNode | undefined): Span | undefined {
  return node && { start: node.start, end: node.end };
}

function wrongType(rest: Omit<Problem, "rule">): Problem {
  const { at: { start, end } } = rest;
  return { rule: "wrong-type", ...rest, at: { start, end } };
}

export function typeWord(type: string): string {
  const words: Readonly<Record<string, string>> = {
    string: "text",
    int: "a whole number",
    double: "a number",
    bool: "true or false",
    null: "null",
  };
  if (type.startsWith("list")) return "a list";
  if (type.startsWith("map")) return "a map";
  return words[type] ?? type;
}
