/** `$…` and backticks, wherever the shell replaces them. */
import { addUnknown } from "./command.ts";
import type { ArithmeticFrame, BraceFrame } from "./frame.ts";
import { code, type Input, type ScriptState } from "./state.ts";

const NAME = /[A-Za-z_]\w*/y;
const SPECIAL = /[0-9@*#?$!-]/;
const BRACE_START = /\$\{(?:[#!]?(?:[A-Za-z_]\w*|\d+|[@*#?$!-])|[#!])?/y;
const OPERATOR = /:?[-=?+]|##?|%%?|[:\/^,@~]/y;
/** Quotes around nothing that could matter, which every shell takes for the same. */
const HARMLESS_QUOTES = /(['"])[\w .,:+*=-]*\1/y;

/** Takes an expansion that begins here; undefined where none does. */
export function stepExpansion(state: ScriptState, input: Input): number | undefined {
  const { text, at } = input;
  if (text.charAt(at) === "`") return openBackticks(state);
  if (text.charAt(at) !== "$") return undefined;
  const next = text.charAt(at + 1);
  addUnknown(state.command);
  switch (next) {
    case "(": {
      const isArithmetic = text.charAt(at + 2) === "(";
      if (isArithmetic) state.push({ kind: "arithmetic", close: "))", depth: 0 });
      else state.push(code("$(", state.pending.length));
      return isArithmetic ? 3 : 2;
    }
    case "[":
      state.push({ kind: "arithmetic", close: "]", depth: 0 });
      return 2;
    case "{":
      return openBrace(state, input);
    case "'":
      return openAnsi(state);
  }
  const name = matchAt(NAME, { text, at: at + 1 });
  if (name !== "") return endingWith(state, { input, length: 1 + name.length, tail: "name" });
  if (next !== "" && SPECIAL.test(next)) return 2;
  return endingWith(state, { input, length: 1, tail: "dollar" });
}

/** `<(` and `>(`. */
export function openProcess(state: ScriptState, rest: string): number {
  addUnknown(state.command);
  // Arithmetic to one part of bash, and a subshell to another.
  if (rest.charAt(2) === "(") state.isLost = true;
  state.push(code("$(", state.pending.length));
  return 2;
}

function openBackticks(state: ScriptState): number {
  const { kind } = state.top;
  addUnknown(state.command);
  state.push({
    kind: "backtick",
    inner: state.open(),
    isInDouble: kind === "double",
    isUnclear: kind !== "double" && kind !== "code",
  });
  return 1;
}

/** `$'…'`, which is no quoting of its own inside of double quotes. */
function openAnsi(state: ScriptState): number {
  const { top } = state;
  if (top.kind === "brace" && top.inside !== "code") state.isLost = true;
  if (top.kind !== "code" && top.kind !== "brace") return 1;
  state.command?.quote();
  state.push({ kind: "ansi" });
  return 2;
}

function openBrace(state: ScriptState, input: Input): number {
  const start = matchAt(BRACE_START, input);
  const next = input.text.charAt(input.at + start.length);
  state.push({ kind: "brace", inside: state.surroundings });
  // `${ command; }` of newer shells.
  if (start === "${" && next !== "") state.isLost = true;
  if (next !== "[") return start.length;
  state.push({ kind: "arithmetic", close: "]", depth: 0 });
  return start.length + 1;
}

export function stepBrace(state: ScriptState, input: Input, frame: BraceFrame): number {
  const { text, at } = input;
  const char = text.charAt(at);
  if (char === "}") {
    state.pop();
    return 1;
  }
  if (frame.operator === undefined) {
    const operator = matchAt(OPERATOR, input);
    frame.operator = meaningOf(operator);
    if (operator === "") state.isLost = true;
    return Math.max(1, operator.length);
  }
  if (char === "\\") return endingWith(state, { input, length: 2, tail: "backslash" });
  if (char === "'" || char === '"') return quoteInBrace(state, input, frame);
  const rest = text.slice(at, at + 3);
  if (frame.inside === "code" && /^[<>]\(/.test(rest)) return openProcess(state, rest);
  return stepExpansion(state, input) ?? 1;
}

function meaningOf(operator: string): BraceFrame["operator"] {
  if (/^:?[-=?+]$/.test(operator)) return "word";
  if (/^[#%]/.test(operator)) return "pattern";
  return operator === ":" ? "slice" : "other";
}

function quoteInBrace(state: ScriptState, input: Input, frame: BraceFrame): number {
  const kind = input.text.charAt(input.at) === "'" ? "single" : "double";
  const isKept = frame.inside === "double" && kind === "single" && frame.operator === "word";
  if (frame.inside === "heredoc" || frame.inside === "arithmetic" || isKept) {
    return skipQuotes(state, input);
  }
  state.push({ kind });
  return 1;
}

export function stepArithmetic(state: ScriptState, input: Input, frame: ArithmeticFrame): number {
  const { text, at } = input;
  const char = text.charAt(at);
  const [open, close] = frame.close === "]" ? ["[", "]"] : ["(", ")"];
  if (char === open) frame.depth++;
  else if (char === close && frame.depth > 0) frame.depth--;
  else if (char === close) {
    // What looked like `((` was two subshells, which have been read as something else.
    if (!text.startsWith(frame.close, at)) state.isLost = true;
    state.pop();
    return frame.close.length;
  } else if (char === "\\") return endingWith(state, { input, length: 2, tail: "backslash" });
  else if (char === "'" || char === '"') return skipQuotes(state, input);
  else if (char === "#" && /\s/.test(text.charAt(at - 1))) state.isLost = true;
  return stepExpansion(state, input) ?? 1;
}

/** Quotes where some shells take them for plain letters. */
function skipQuotes(state: ScriptState, input: Input): number {
  const quotes = matchAt(HARMLESS_QUOTES, input);
  if (quotes === "") state.isLost = true;
  return Math.max(1, quotes.length);
}

/** Takes `length` characters; where the text ends with or within them, a value must know. */
export function endingWith(
  state: ScriptState,
  { input: { text, at }, length, tail }: {
    readonly input: Input;
    readonly length: number;
    readonly tail: ScriptState["tail"];
  },
): number {
  const isCut = tail === "backslash" ? at + length > text.length : at + length === text.length;
  if (isCut) state.tail = tail;
  return length;
}

function matchAt(pattern: RegExp, { text, at }: Input): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}
