/**
 * Follows a script as the shell reads it: POSIX.1-2017, Shell Command Language, 2.2, 2.3 and 2.6,
 * and what bash adds. Where shells differ it gives up rather than guess.
 */
import { addUnknown } from "./command.ts";
import { stepCode } from "./code.ts";
import { stepArithmetic, stepBrace } from "./expansion.ts";
import { isEnd } from "./heredoc.ts";
import type { Hole } from "./hole.ts";
import { describeHole } from "./describe_hole.ts";
import {
  stepAnsi,
  stepBackticks,
  stepComment,
  stepDouble,
  stepHeredoc,
  stepSingle,
} from "./quotes.ts";
import { REFUSALS } from "./refusal.ts";
import { type Input, ScriptState } from "./state.ts";

export class ScriptScanner {
  readonly #state = new ScriptState(() => new ScriptScanner());
  /** The hole that the next literal follows at once. */
  #last: Hole | undefined;

  /** Whether everything that was opened is closed again. */
  get isAtRest(): boolean {
    const { stack, pending, isLost, top } = this.#state;
    return !isLost && pending.length === 0 && (stack.length === 1 || top.kind === "comment");
  }

  /** Text of the script itself. */
  literal(text: string): void {
    const state = this.#state;
    settle(this.#last, text);
    this.#last = undefined;
    for (let at = 0; at < text.length;) {
      state.tail = "";
      const length = this.#step({ text, at });
      if (length > 0) this.#endStep(text.slice(at, at + length), text.slice(at + length));
      at += length;
    }
  }

  /** A value between two literals. */
  hole(): Hole {
    const state = this.#state;
    settle(this.#last, "x");
    const { top } = state;
    const hole = top.kind === "backtick" ? top.inner.hole() : describeHole(state);
    if (top.kind === "backtick") {
      hole.backticks++;
      if (state.isLost) hole.refusal ??= REFUSALS.lost;
      if (top.isUnclear) hole.refusal ??= REFUSALS.backticks;
      if (state.tail === "backslash") hole.refusal ??= REFUSALS.backslash;
    }
    state.tail = "";
    state.isLineStart = false;
    addUnknown(state.command);
    this.#last = hole;
    return hole;
  }

  /** The end of the script; whether everything that was opened has been closed. */
  finish(): boolean {
    this.literal("\n");
    return this.#state.stack.length === 1 && this.#state.pending.length === 0;
  }

  /** Takes one construct; returns how many characters it has. */
  #step(input: Input): number {
    const state = this.#state;
    const { top } = state;
    switch (top.kind) {
      case "code":
        return stepCode(state, input, top);
      case "single":
        return stepSingle(state, input);
      case "double":
        return stepDouble(state, input);
      case "ansi":
        return stepAnsi(state, input);
      case "comment":
        return stepComment(state, input);
      case "heredoc":
        return stepHeredoc(state, input, top.heredoc);
      case "brace":
        return stepBrace(state, input, top);
      case "arithmetic":
        return stepArithmetic(state, input, top);
      case "backtick":
        return stepBackticks(state, input, top);
    }
  }

  #endStep(step: string, rest: string): void {
    const state = this.#state;
    state.isLineStart = step.endsWith("\n") && !step.startsWith("\\");
    if (!state.isLineStart || state.top.kind === "heredoc") return;
    const { heredocs } = state;
    if (heredocs.length === 0) return;
    // A shell looks for the end of a here-document before it looks at what is in it.
    const line = rest.split("\n", 1)[0] ?? "";
    if (heredocs.some((heredoc) => isEnd(line, heredoc))) state.isLost = true;
  }
}

/** What follows a value at once may forbid to leave it without quotes. */
function settle(hole: Hole | undefined, next: string): void {
  if (hole === undefined) return;
  if (!/^[\s;&|)]/.test(next)) hole.isBare = false;
  if (hole.isRange === undefined) hole.isRange = next.startsWith("..");
}
