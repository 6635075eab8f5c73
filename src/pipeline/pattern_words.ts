import type { PatternFault } from "../core/pattern.ts";

/** What to say of a text that is no pattern. */
export function patternWords(
  { message, hint }: PatternFault,
): { readonly message: string; readonly hint: string | undefined } {
  // With a way out it is a sentence by itself.
  return { message: hint === undefined ? `not a regular expression: ${message}` : message, hint };
}
