import { parseJson } from "../core/exact_json.ts";
import { parseFileGlob } from "../core/file_glob.ts";
import { GlobFault } from "../core/glob_fault.ts";
import { compilePattern, PatternFault, patternWords } from "../core/pattern.ts";
import type { Argument, Call, Problem, Zero } from "./expression_parts.ts";

/** Constant arguments that can never be read: patterns, globs, and JSON. */
export function checkConstant({ name, receiver, args }: Call): readonly Problem[] {
  if (name === "hashFiles" && receiver === undefined) return args.flatMap(checkGlob);
  const [first] = args;
  if (first?.text === undefined) return [];
  if (name === "matches" && receiver !== undefined) return checkPattern(first.text, first);
  if (name === "fromJSON" && receiver === undefined) return checkJson(first.text, first);
  return [];
}

export function checkZero({ operator, start, end }: Zero): Problem {
  const message = operator === "/" ? "division by zero" : "remainder of a division by zero";
  return { rule: "zero-divisor", at: { start, end }, message };
}

function checkPattern(text: string, at: Argument): readonly Problem[] {
  try {
    compilePattern(text);
    return [];
  } catch (error) {
    if (!(error instanceof PatternFault)) throw error;
    const { message, hint } = patternWords(error);
    return [{ rule: "bad-pattern", at, message, ...(hint !== undefined && { hint }) }];
  }
}

function checkGlob({ text, ...at }: Argument): readonly Problem[] {
  try {
    if (text !== undefined) parseFileGlob(text);
    return [];
  } catch (error) {
    if (!(error instanceof GlobFault)) throw error;
    const { message, hint } = error;
    return [{ rule: "bad-glob", at, message: `not a glob: ${message}`, hint }];
  }
}

function checkJson(text: string, at: Argument): readonly Problem[] {
  try {
    parseJson(text);
    return [];
  } catch {
    const hint = "write a list itself, [1, 2], without fromJSON and quotes";
    return [{ rule: "bad-json", at, message: "this text is not JSON", hint }];
  }
}
