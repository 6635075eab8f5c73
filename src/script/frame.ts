import type { Command } from "./command.ts";
import type { Heredoc } from "./heredoc.ts";
import type { Hole } from "./hole.ts";

/** One level of a script's nesting. */
export type Frame =
  | CodeFrame
  | ArithmeticFrame
  | BraceFrame
  | BacktickFrame
  | { readonly kind: "single" | "double" | "ansi" | "comment" }
  | { readonly kind: "heredoc"; readonly heredoc: Heredoc };

/** Commands, or words alone. */
export interface CodeFrame {
  readonly kind: "code";
  readonly command: Command;
  /** `array` and `pattern`: parentheses in which there are only words. */
  readonly opener: "script" | "(" | "$(" | "case" | "array" | "pattern";
  /** Here-documents that had been announced before it. */
  readonly pendingBefore: number;
  /** In a `case`: which part of it the next word belongs to. */
  part?: "subject" | "pattern" | "body";
}

export function isWordsOnly({ opener }: CodeFrame): boolean {
  return opener === "array" || opener === "pattern";
}

/** `$(( ))`, `(( ))`, `$[ ]` and the subscripts of arrays: quotes protect nothing in them. */
export interface ArithmeticFrame {
  readonly kind: "arithmetic";
  readonly close: "))" | "]";
  /** Brackets of the same kind that are open inside. */
  depth: number;
}

/** `${…}`. */
export interface BraceFrame {
  readonly kind: "brace";
  /** What it stands in, which decides what quotes mean inside. */
  readonly inside: "code" | "double" | "heredoc" | "arithmetic";
  /** What is done with the variable; undefined before that is known. */
  operator?: "word" | "pattern" | "slice" | "other" | undefined;
}

/** What is in backticks is a script of its own, in which backslashes are doubled. */
export interface BacktickFrame {
  readonly kind: "backtick";
  readonly inner: Inner;
  /** In double quotes `\"` means `"` too. */
  readonly isInDouble: boolean;
  /** Inside of something in which shells do not agree on backticks. */
  readonly isUnclear: boolean;
}

/** A scanner for a script inside a script. */
export interface Inner {
  literal(text: string): void;
  hole(): Hole;
  readonly isAtRest: boolean;
}
