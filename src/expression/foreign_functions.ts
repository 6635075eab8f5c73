/** Functions of other languages and runners, and what to write here. */
import { nearest } from "../core/did_you_mean.ts";
import type { Call, Span } from "./expression_parts.ts";
import { FUNCTIONS, METHODS } from "./functions.ts";

const FOREIGN_FUNCTIONS: Readonly<Record<string, string>> = {
  format: 'join texts with +: "epoch-" + inputs.n',
  concat: "join texts with +",
  str: "write string(…)",
  float: "write double(…)",
  number: "write double(…)",
  not: "write !",
};

/** Methods by what other languages call them. */
const FOREIGN_METHODS: Readonly<Record<string, string>> = {
  toLowerCase: "lowerAscii",
  lower: "lowerAscii",
  toUpperCase: "upperAscii",
  upper: "upperAscii",
  includes: "contains",
  length: "size",
  len: "size",
  count: "size",
  strip: "trim",
  match: "matches",
  any: "exists",
  some: "exists",
  every: "all",
};

const OWN = ["success", "failure", "always", "cancelled", "toJSON", "fromJSON", "hashFiles", "env"];

export function functionHint(call: Call, source: string): string {
  const { name, args } = call;
  const [first, ...more] = args.map((arg) => textOf(arg, source));
  const best = nearest(name, Object.keys(FUNCTIONS));
  if (best !== undefined && name.length > 2) return `did you mean "${best}"?`;
  if (Object.hasOwn(FOREIGN_FUNCTIONS, name)) return FOREIGN_FUNCTIONS[name] ?? "";
  const foreign = Object.hasOwn(FOREIGN_METHODS, name) ? FOREIGN_METHODS[name] : undefined;
  const method = foreign ?? nearest(name, METHODS);
  if (method === undefined || first === undefined) return `functions: ${OWN.join(", ")}`;
  if (method === "size") return `write size(${first})`;
  return `write ${first}.${method}(${more.join(", ")})`;
}

export function methodHint({ name, receiver }: Call, source: string): string | undefined {
  const method = Object.hasOwn(FOREIGN_METHODS, name) ? FOREIGN_METHODS[name] : undefined;
  if (method === "size" && receiver) return `write size(${textOf(receiver, source)})`;
  return method && `write ${method}()`;
}

function textOf({ start, end }: Span, source: string): string {
  return source.slice(start, end);
}
