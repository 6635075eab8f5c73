/** What CEL says of types that do not go together, in plainer words and with a way out. */
import { own } from "../core/own.ts";
import type { Problem } from "./expression_parts.ts";
import { operandProblem, operatorProblem } from "./operator_words.ts";
import { type TypeFault, typeWord, whole, wrongType } from "./type_fault.ts";

/** Undefined where the mistake is another one. */
export function typeProblem(fault: TypeFault): Problem | undefined {
  return operatorProblem(fault) ?? operandProblem(fault) ?? callProblem(fault) ??
    fieldProblem(fault) ?? rangeProblem(fault) ?? ternaryProblem(fault);
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
    hint: own(TAKES, name),
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
