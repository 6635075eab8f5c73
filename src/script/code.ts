/** Commands: words, operators, and the parentheses and here-documents between them. */
import { addUnknown } from "./command.ts";
import { endingWith, openProcess, stepExpansion } from "./expansion.ts";
import { type CodeFrame, isWordsOnly } from "./frame.ts";
import { readHeredocStart } from "./heredoc.ts";
import { stepClose, stepOpen } from "./parentheses.ts";
import { readerOfInput } from "./second_reader.ts";
import { code, type Input, type ScriptState } from "./state.ts";

export function stepCode(state: ScriptState, input: Input, frame: CodeFrame): number {
  const { text, at } = input;
  const { command } = frame;
  const char = text.charAt(at);
  // The word may open or close a frame, which then takes the character.
  if (/[ \t\n;&|)]/.test(char) && command.word !== undefined) {
    endWord(state, frame);
    return 0;
  }
  // Such an array is broken, and bash goes on with the next line.
  if (frame.opener === "array" && /[;&|<>(]/.test(char)) state.isLost = true;
  switch (char) {
    case " ":
    case "\t":
      return 1;
    case "\n":
      if (!isWordsOnly(frame) && !command.isTest) command.endCommand();
      state.openHeredocs();
      return 1;
    case ";":
    case "&":
    case "|":
      return stepOperator(input, frame);
    case "<":
    case ">":
      return stepRedirection(state, input, frame);
    case "(":
      return stepOpen(state, input, frame);
    case ")":
      return stepClose(state, frame);
    case "\\":
      // bash 5.2 does not see where such an array ends.
      if (frame.opener === "array" && state.isIn("$(")) state.isLost = true;
      if (text.charAt(at + 1) !== "\n") {
        command.quote();
        command.add(text.charAt(at + 1));
      }
      return endingWith(state, { input, length: 2, tail: "backslash" });
    case "'":
    case '"':
      command.quote();
      state.push({ kind: char === "'" ? "single" : "double" });
      return 1;
    case "#":
      if (command.word === undefined) state.push({ kind: "comment" });
      else command.add(char);
      return 1;
    case "[":
      return stepBracket(state, frame);
    default: {
      const length = stepExpansion(state, input);
      if (length === undefined) command.add(char);
      return length ?? 1;
    }
  }
}

function endWord(state: ScriptState, frame: CodeFrame): void {
  const { command } = frame;
  const reserved = command.endWord();
  if (isWordsOnly(frame)) return;
  if (frame.part === "subject") {
    if (command.words.length < 3) return;
    command.endCommand();
    frame.part = "pattern";
  } else if (reserved === "esac" && frame.part !== undefined) {
    state.pop();
    state.command?.endCommand();
  } else if (reserved === "case" && frame.part !== "pattern") {
    const inner = { ...code("case"), part: "subject" as const };
    inner.command.words.push("case");
    state.push(inner);
  }
}

function stepOperator({ text, at }: Input, frame: CodeFrame): number {
  const { command } = frame;
  const char = text.charAt(at);
  const isDouble = text.charAt(at + 1) === char;
  if (command.isTest && isDouble) {
    command.endClause();
    return 2;
  }
  if (isWordsOnly(frame) || char === "|" && frame.part === "pattern") return 1;
  if (char === "&" && text.charAt(at + 1) === ">") {
    command.redirect("file");
    return 2;
  }
  command.endCommand();
  const end = frame.part === "body" ? /^(;;&|;;|;&)/.exec(text.slice(at, at + 3))?.[0] : undefined;
  if (end === undefined) return 1;
  frame.part = "pattern";
  return end.length;
}

function stepRedirection(state: ScriptState, { text, at }: Input, frame: CodeFrame): number {
  const { command } = frame;
  const rest = text.slice(at);
  if (command.isTest) {
    command.endWord();
    return 1;
  }
  if (/^[<>]\(/.test(rest)) return openProcess(state, rest);
  if (rest.startsWith("<<<")) {
    command.redirect("text");
    return 3;
  }
  command.redirect("file");
  if (!rest.startsWith("<<")) return /^(>>|>\||[<>]&|<>)/.test(rest) ? 2 : 1;
  const { length, isUnclear, ...heredoc } = readHeredocStart(rest);
  command.target = isUnclear ? "end" : "";
  // bash 5.2 loses its place after a here-document in an array.
  if (isUnclear || state.isIn("array")) state.isLost = true;
  state.pending.push({ ...heredoc, reader: readerOfInput(command.words) });
  return length;
}

/** `name[` begins the subscript of an array, which is arithmetic. */
function stepBracket(state: ScriptState, { command, opener, part }: CodeFrame): number {
  const word = command.word ?? "";
  const isSubscript = opener === "array"
    ? command.word === undefined
    : part !== "pattern" && part !== "subject" && command.takesName && /^[A-Za-z_]\w*$/.test(word);
  if (!isSubscript) {
    command.add("[");
    return 1;
  }
  command.add("[");
  addUnknown(command);
  command.add("]");
  state.push({ kind: "arithmetic", close: "]", depth: 0 });
  return 1;
}
