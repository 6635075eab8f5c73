import type { Heredoc } from "./heredoc.ts";
import type { Refusal } from "./refusal.ts";

/**
 * Where a value stands in a script, as far as it decides how the value must be written. Only the
 * script decides it, never a value: a value written to fit changes nothing for what follows.
 */
export interface Hole {
  /**
   * `plain`: a word of a command. `nested`: inside `"${x:-…}"`, where quotes are opened anew;
   * `reopened`: in such quotes. `number`: the shell takes it apart as arithmetic, whatever quotes
   * are around it.
   */
  kind:
    | "plain"
    | "single"
    | "double"
    | "nested"
    | "reopened"
    | "ansi"
    | "comment"
    | "heredoc"
    | "number";
  /** No value at all can be written here. */
  refusal?: Refusal | undefined;
  /** A whole word among the arguments of a command: a harmless value needs no quotes. */
  isBare: boolean;
  /** Beside the `..` of `{1..9}`, where bash counts only without quotes; undefined until known. */
  isRange: boolean | undefined;
  /** A list may become several words. */
  readonly splits: boolean;
  /** Right after `$NAME`, which would take the first letters of the value for its own. */
  readonly isAfterName: boolean;
  /** How many backticks are around it; each takes away one layer of backslashes. */
  backticks: number;
  /** Here-documents around it, whose end no line of a value may be. */
  readonly heredocs: readonly Heredoc[];
}
