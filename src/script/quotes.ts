/** Text in quotes, comments, here-documents and backticks. */
import { endingWith, stepExpansion } from "./expansion.ts";
import type { BacktickFrame } from "./frame.ts";
import { type Heredoc, isEnd } from "./heredoc.ts";
import type { Input, ScriptState } from "./state.ts";

export function stepSingle(state: ScriptState, { text, at }: Input): number {
  const end = text.indexOf("'", at);
  state.command?.add(text.slice(at, end === -1 ? text.length : end));
  if (end === -1) return text.length - at;
  state.pop();
  return end + 1 - at;
}

export function stepDouble(state: ScriptState, input: Input): number {
  const char = input.text.charAt(input.at);
  if (char === "\\") {
    state.command?.add(input.text.charAt(input.at + 1));
    return endingWith(state, { input, length: 2, tail: "backslash" });
  }
  if (char === '"') {
    state.pop();
    return 1;
  }
  const length = stepExpansion(state, input);
  if (length === undefined) state.command?.add(char);
  return length ?? 1;
}

/** `$'…'`: a value is written between two of them, so that no shell can take it for code. */
export function stepAnsi(state: ScriptState, input: Input): number {
  const char = input.text.charAt(input.at);
  if (char === "'") state.pop();
  // Shells without such quotes end them here.
  if (input.text.startsWith("\\'", input.at)) state.isLost = true;
  if (char === "\\") return endingWith(state, { input, length: 2, tail: "backslash" });
  state.command?.add(char);
  return 1;
}

export function stepComment(state: ScriptState, { text, at }: Input): number {
  const end = text.indexOf("\n", at);
  if (end === -1) return text.length - at;
  // The line break itself is the code's, which may have here-documents to open.
  state.pop();
  return end - at;
}

export function stepHeredoc(state: ScriptState, input: Input, heredoc: Heredoc): number {
  const { text, at } = input;
  if (state.isLineStart) {
    const end = text.indexOf("\n", at);
    if (end !== -1 && isEnd(text.slice(at, end), heredoc)) {
      state.pop();
      return end + 1 - at;
    }
  }
  if (heredoc.isRaw) return 1;
  if (text.charAt(at) === "\\") return endingWith(state, { input, length: 2, tail: "backslash" });
  return stepExpansion(state, input) ?? 1;
}

export function stepBackticks(state: ScriptState, input: Input, frame: BacktickFrame): number {
  const { text } = input;
  let { at } = input;
  let script = "";
  for (; at < text.length && text.charAt(at) !== "`"; at++) {
    const next = text.charAt(at + 1);
    const isEscape = text.charAt(at) === "\\" &&
      (/[\\$`]/.test(next) || next === '"' && frame.isInDouble);
    if (isEscape) at++;
    else if (text.charAt(at) === "\\" && next === "") state.tail = "backslash";
    script += text.charAt(at);
  }
  // A backslash at the end is half of something.
  if (state.tail === "backslash") script = script.slice(0, -1);
  if (script !== "") frame.inner.literal(script);
  if (at >= text.length) return at - input.at;
  if (!frame.inner.isAtRest) state.isLost = true;
  state.pop();
  return at + 1 - input.at;
}
