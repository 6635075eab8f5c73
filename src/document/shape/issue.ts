import { nearest } from "../../core/did_you_mean.ts";
import { valueHint } from "./value_hint.ts";
import type { z } from "./zod.ts";

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** One mistake as zod found it, unions resolved to the branch the author meant. */
export interface FlatIssue {
  readonly kind: "unknown-key" | "missing-key" | "wrong-value" | "wrong-key";
  readonly rule: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly hint: string | undefined;
}

/** zod's issues as single mistakes; one per unknown key, the nearest branch of a union. */
export function flatten(issue: Issue, prefix: readonly PropertyKey[] = []): FlatIssue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => flat("unknown-key", [...path, key], { message: issue.message }));
  }
  if (issue.code === "invalid_union") {
    const branch = hasOwnWords(issue) ? undefined : meantBranch(issue.errors);
    if (branch !== undefined) return branch.flatMap((inner) => flatten(inner, path));
    const custom = hasOwnWords(issue) ? undefined : issue.errors.flat().find(hasOwnWords);
    if (custom !== undefined && custom.path.length === 0) return flatten(custom, path);
    if (issue.discriminator !== undefined) return [discriminated(issue, path)];
  }
  if (issue.code === "invalid_key") {
    // The key itself is at fault, and its own schema says why.
    const message = issue.issues[0]?.message ?? issue.message;
    return [flat("wrong-key", path, { message, rule: "invalid-key" })];
  }
  if (issue.input === undefined && issue.code !== "custom") {
    return [flat("missing-key", path, { message: issue.message })];
  }
  const rule = issue.code === "invalid_type" || issue.code === "invalid_union"
    ? "wrong-type"
    : "invalid-value";
  return [flat("wrong-value", path, { message: issue.message, rule })];
}

/** Whether the schema itself says what is wrong. */
function hasOwnWords(issue: Issue): boolean {
  return issue.message !== wordIssue(issue as RawIssue);
}

/** The key that decides which keys belong beside it is missing or unknown. */
function discriminated(
  issue: Extract<Issue, { code: "invalid_union" }>,
  path: readonly PropertyKey[],
): FlatIssue {
  const key = String(issue.discriminator);
  const found = (issue.input as Record<string, unknown> | undefined)?.[key];
  if (found === undefined) {
    const options = optionsOf(issue).join(", ");
    return flat("missing-key", path, { message: `missing key "${key}"\none of: ${options}` });
  }
  return flat("wrong-value", path, { message: issue.message, rule: "invalid-value" });
}

function flat(
  kind: FlatIssue["kind"],
  path: readonly PropertyKey[],
  words: { readonly message: string; readonly rule?: string },
): FlatIssue {
  // The second line of a schema's message is its hint.
  const [message = "", hint] = words.message.split("\n");
  return { kind, rule: words.rule ?? kind, path, message, hint };
}

/** The one branch whose outermost type fits what was written. */
function meantBranch(branches: readonly Issue[][]): Issue[] | undefined {
  const fitting = branches.filter((branch) =>
    !branch.some((issue) =>
      issue.path.length === 0 && issue.code !== "unrecognized_keys" && issue.code !== "custom"
    )
  );
  return fitting.sort((a, b) => a.length - b.length)[0];
}

/** Words for zod's issues; a message written in the schema itself goes before. */
export function wordIssue(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return expectedWords(typeWord(issue.expected), issue.input);
    case "invalid_union":
      return issue.discriminator === undefined
        ? expectedWords(unionWords(issue.errors), issue.input)
        : discriminatorWords(issue);
    case "invalid_value":
      return valueWords(issue.values.map(String), issue.input);
    case "too_small":
      return issue.origin === "number" || issue.origin === "int"
        ? `must be at least ${issue.minimum}, is ${
          show(issue.input)
        }\nwrite ${issue.minimum} or more`
        : "must not be empty";
    case "too_big":
      return `must be at most ${issue.maximum}, is ${
        show(issue.input)
      }\nwrite ${issue.maximum} or less`;
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}, is ${show(issue.input)}`;
    case "invalid_format":
      return `${show(issue.input)} is not well formed`;
    default:
      return undefined;
  }
}

/** `expected a list, found text "x"`. */
export function expectedWords(expected: string, found: unknown): string {
  if (found === null) {
    return `expected ${expected}, but there is no value\nwrite one, or remove the key`;
  }
  if (typeof found === "number" && !Number.isFinite(found) && expected.includes("a number")) {
    return `JSON holds no ${found} as a number\n` +
      `put it in quotes, which float() of Python reads just so: "${found}"`;
  }
  const isWord = typeof found === "string" && /^(yes|no|on|off)$/i.test(found);
  const words = isWord && expected === "true or false"
    ? `${found} is text, not true or false`
    : `expected ${expected}, found ${describe(found)}`;
  const hint = valueHint(expected, found);
  return hint === undefined ? words : `${words}\n${hint}`;
}

function valueWords(values: readonly string[], found: unknown): string {
  if (found === null) return expectedWords(orList(values), found);
  if (typeof found === "string" && found.includes("${{")) {
    return expectedWords(orList(values), found);
  }
  const near = typeof found === "string" ? nearest(found, values) : undefined;
  const words = `${describe(found)} is not possible here`;
  return `${words}\n${near === undefined ? `write ${orList(values)}` : `did you mean "${near}"?`}`;
}

function orList(values: readonly string[]): string {
  return values.length === 1
    ? `${values[0]}`
    : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}

function discriminatorWords(issue: Extract<RawIssue, { code: "invalid_union" }>): string {
  const map = issue.input as Record<string, unknown> | undefined;
  return valueWords(optionsOf(issue), map?.[String(issue.discriminator)]);
}

function optionsOf(issue: object): string[] {
  return "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
}

function unionWords(branches: readonly (readonly Issue[])[]): string {
  const words = branches.flatMap((branch) =>
    branch.filter((issue) => issue.path.length === 0).map((issue) =>
      issue.code === "invalid_type"
        ? typeWord(issue.expected)
        : issue.code === "invalid_value"
        ? issue.values.map(String).join(", ")
        : ""
    )
  ).filter((word) => word !== "");
  const unique = [...new Set(words)];
  const last = unique.pop();
  return unique.length === 0 ? last ?? "another value" : `${unique.join(", ")} or ${last}`;
}

function typeWord(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    string: "text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    array: "a list",
    object: "a map",
    record: "a map",
    null: "nothing",
  };
  return words[expected] ?? expected;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "string") return `text ${show(value)}`;
  return show(value);
}

function show(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= 40 ? text : `${text.slice(0, 37)}…`;
}
