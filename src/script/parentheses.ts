import { addUnknown } from "./command.ts";
import { type CodeFrame, isWordsOnly } from "./frame.ts";
import { code, type Input, type ScriptState } from "./state.ts";

/** `(`: a subshell, arithmetic, the words of an array, a pattern, or the end of a function's name. */
export function stepOpen(state: ScriptState, { text, at }: Input, frame: CodeFrame): number {
  const { command } = frame;
  const next = text.charAt(at + 1);
  if (command.isTest) {
    command.endWord();
    command.endClause();
    return 1;
  }
  const isPattern = frame.part === "pattern";
  if (isPattern && command.word === undefined && command.isFirst) return 1;
  const isWord = command.word !== undefined && next !== ")";
  if (isWordsOnly(frame) || isPattern || isWord) {
    const opener = command.word?.endsWith("=") ? "array" : "pattern";
    addUnknown(command);
    state.push(code(opener));
    return 1;
  }
  command.endWord();
  const isCommand = command.isFirst;
  if (next === "(" && (isCommand || command.words.join(" ") === "for")) {
    addUnknown(command);
    state.push({ kind: "arithmetic", close: "))", depth: 0 });
    return 2;
  }
  state.push(code(isCommand || next === ")" ? "(" : "pattern"));
  return 1;
}

export function stepClose(state: ScriptState, frame: CodeFrame): number {
  const { command, opener } = frame;
  if (command.isTest) {
    command.endClause();
    return 1;
  }
  switch (opener) {
    case "case":
      if (frame.part !== "pattern") state.isLost = true;
      command.endCommand();
      frame.part = "body";
      return 1;
    case "script":
      // Without an opening one the script is broken.
      state.isLost = true;
      return 1;
    case "$(":
      // The body of a here-document would come after the parentheses it belongs to.
      if (state.pending.length > frame.pendingBefore) state.isLost = true;
      state.pop();
      return 1;
    case "(":
      state.pop();
      state.command?.endCommand();
      return 1;
    case "array":
    case "pattern":
      state.pop();
      return 1;
  }
}
