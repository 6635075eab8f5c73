import { GridError } from "./errors.ts";

/** Characters that no POSIX shell treats specially anywhere in a word. */
const PLAIN_WORD = /^[A-Za-z0-9_\/:.,@%+=-]+$/;

/**
 * Quotes one word for a POSIX shell: single quotes, with `'` written as `'\''`.
 *
 * @throws {GridError} `usage` if the word contains NUL, which no shell can carry
 */
export function quote(word: string): string {
  if (word.includes("\0")) {
    throw new GridError({ code: "usage", message: "Cannot pass a NUL character to a shell" });
  }
  // A leading "=" or "~" is special to some shells; a plain word with "=" inside is not.
  if (PLAIN_WORD.test(word) && !word.startsWith("=")) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Quotes every word and joins them with blanks. */
export function quoteAll(words: readonly string[]): string {
  return words.map(quote).join(" ");
}
