import type { Argument, Call, Problem } from "./expression_parts.ts";

/** Constant arguments that can never be read: a pattern, and JSON. */
export function checkConstant({ name, receiver, args }: Call): readonly Problem[] {
  const [first] = args;
  if (first?.text === undefined) return [];
  if (name === "matches" && receiver !== undefined) return checkPattern(first.text, first);
  if (name === "fromJSON" && receiver === undefined) return checkJson(first.text, first);
  return [];
}

function checkPattern(text: string, at: Argument): readonly Problem[] {
  try {
    new RegExp(text);
    return [];
  } catch (error) {
    const cause = (error as Error).message.split(": ").at(-1);
    return [{ rule: "bad-pattern", at, message: `not a regular expression: ${cause}` }];
  }
}

function checkJson(text: string, at: Argument): readonly Problem[] {
  try {
    JSON.parse(text);
    return [];
  } catch {
    const hint = "write a list itself, [1, 2], without fromJSON and quotes";
    return [{ rule: "bad-json", at, message: "this text is not JSON", hint }];
  }
}
