/** JSON without a loss: digits as they are written, and Python's `NaN` and `Infinity`. */
import { ExactNumber, NOT_FINITE } from "./exact_number.ts";
import { randomWord } from "./ids.ts";
import type { JsonValue } from "./json.ts";

/** Lists and maps inside each other; whoever walks through a value calls itself once for each. */
const MAX_NESTING = 500;

/**
 * Wherever a number is not in a text like these, a plain `JSON.parse` says the same and is faster:
 * many digits, an exponent, a zero at the end, minus zero, many zeros behind the point.
 */
const MAY_LOSE = /[\d.]{16}|\d[eE]|\.\d*0(?!\d)|-0|0\.00000/;

/** @throws {SyntaxError} where it is not JSON, or nested too deeply */
export function parseJson(text: string): JsonValue {
  if (text.length > MAX_NESTING) checkNesting(text);
  try {
    return MAY_LOSE.test(text) ? parseExactly(text) : JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    const word = `\u0001${randomWord(16)}`;
    const { text: quoted, found } = quoteNotFinite(text, word);
    if (!found) throw error;
    return parseExactly(quoted, word);
  }
}

/** JSON as Python's `json` reads and writes it: `NaN` and the infinities are numbers there. */
export function pythonJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (text === undefined || !/"(?:NaN|-?Infinity)"/.test(text)) return text;
  const word = `\u0001${randomWord(16)}`;
  const marked = JSON.stringify(value, function (this: unknown, key: string, plain: unknown) {
    const written = (this as Record<string, unknown>)[key];
    return written instanceof ExactNumber && !written.isFinite ? word + written.text : plain;
  });
  return marked.replaceAll(`"${JSON.stringify(word).slice(1, -1)}NaN"`, "NaN")
    .replaceAll(`"${JSON.stringify(word).slice(1, -1)}Infinity"`, "Infinity")
    .replaceAll(`"${JSON.stringify(word).slice(1, -1)}-Infinity"`, "-Infinity");
}

/** Every number as it is written; texts that begin with `word` are numbers that are not finite. */
function parseExactly(text: string, word?: string): JsonValue {
  return JSON.parse(
    text,
    ((_key: string, value: unknown, context: { readonly source?: string }) => {
      if (typeof value === "number") return ExactNumber.of(context.source ?? "") ?? value;
      if (word !== undefined && typeof value === "string" && value.startsWith(word)) {
        return ExactNumber.of(value.slice(word.length)) ?? value;
      }
      return value;
    }) as (key: string, value: unknown) => unknown,
  );
}

function quoteNotFinite(
  text: string,
  word: string,
): { readonly text: string; readonly found: boolean } {
  const mark = JSON.stringify(word).slice(1, -1);
  const parts: string[] = [];
  let done = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (char !== "N" && char !== "I" && char !== "-") continue;
    const number = [...NOT_FINITE].find((name) => text.startsWith(name, at));
    if (number === undefined) continue;
    parts.push(text.slice(done, at), `"${mark}${number}"`);
    done = at + number.length;
    at = done - 1;
  }
  parts.push(text.slice(done));
  return { text: parts.join(""), found: parts.length > 1 };
}

/** Index of the quote that closes the string which opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (char === '"') return at;
  }
  return text.length;
}

function checkNesting(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === "[" || char === "{") {
      if (++depth > MAX_NESTING) {
        throw new SyntaxError(`lists and maps are nested more than ${MAX_NESTING} deep`);
      }
    } else if (char === "]" || char === "}") depth--;
  }
}
