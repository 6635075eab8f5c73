import { drop, insert } from "./repair.ts";
import type { FaultyText, ParseFault, Trap } from "./parse_fault.ts";

/** Slips between `{ }` and `[ ]`: a comma is missing, or a bracket too many or too few. */
export function flowTrap(fault: ParseFault, text: FaultyText): Trap | undefined {
  if (fault.message.startsWith("Flow ")) return openBracket(fault, text);
  if (/^Unexpected flow-(?:map|seq)-end token/.test(fault.message)) {
    return strayBracket(fault, text);
  }
  if (/^Unexpected , in flow/.test(fault.message)) {
    return {
      rule: "yaml-syntax",
      message: "no entry stands before this ,",
      hint: "remove it",
      repairs: [drop(fault.start, fault.start + 1)],
    };
  }
  if (text.openBrackets(fault.start).length === 0) return undefined;
  if (fault.code === "BLOCK_IN_FLOW" || fault.code === "MULTILINE_IMPLICIT_KEY") {
    return commaBeforeKey(fault, text);
  }
  if (fault.message.startsWith("Missing ,") || / at node end$| token$/.test(fault.message)) {
    const last = text.inkBefore(fault.start);
    return last && missingComma(last.start + last.text.trimEnd().length, text);
  }
  return undefined;
}

/** The caret stands where the comma belongs. */
function missingComma(at: number, { lines }: FaultyText): Trap {
  return {
    rule: "yaml-syntax",
    message: "a , is missing between two entries",
    hint: "write , here; text with blanks or quotes in it goes into quotes as a whole",
    spot: lines.spot(at, at + 1),
    repairs: [insert(at, ",")],
  };
}

/** The place to look at is where the bracket opens, not where YAML gives up. */
function openBracket(fault: ParseFault, text: FaultyText): Trap | undefined {
  const opening = text.openBrackets(fault.start).at(-1);
  if (opening === undefined) return undefined;
  const { lines } = text;
  const open = opening.text;
  const close = open === "{" ? "}" : "]";
  const lineEnd = lines.lineEnd(opening.start);
  const comment = text.tokens.find(({ text, start }) =>
    start > opening.start && start < lineEnd && text.startsWith("#")
  );
  const last = text.inkBefore(fault.start) ?? opening;
  return {
    rule: "yaml-syntax",
    message: `the ${open} that opens here is never closed`,
    hint: comment?.text.includes(close)
      ? `a # after a blank starts a comment, and the ${close} is in it; put quotes around text with #`
      : `add the closing ${close}`,
    spot: lines.spot(opening.start, opening.start + 1),
    // Nobody knows which entries were meant to stand inside.
    repairs: [{ ...insert(last.start + last.text.trimEnd().length, close), isLoss: true }],
  };
}

/** `}}` after `{ a: 1`, or a value that starts with a closing bracket. */
function strayBracket(fault: ParseFault, text: FaultyText): Trap {
  const char = text.lines.text.charAt(fault.start);
  const before = text.inkBefore(fault.start)?.text ?? "";
  if (before === ":" || before === "-") {
    return {
      rule: "yaml-syntax",
      message: `a plain value cannot start with ${char}`,
      hint: "put the value in quotes",
    };
  }
  return {
    rule: "yaml-syntax",
    message: `one ${char} too many`,
    hint: "remove it",
    repairs: [drop(fault.start, fault.start + 1)],
  };
}

/** `{ id: a run: echo }`: YAML takes the next key for a part of the value before it. */
function commaBeforeKey(fault: ParseFault, text: FaultyText): Trap | undefined {
  const rest = text.lines.text.slice(fault.start);
  const found = /^([^,{}[\]]*?[^\s,])\s+(?:"[^"\n]*"|'[^'\n]*'|[\w.-]+)\s*:(?=[\s"'{[])/.exec(rest);
  if (found?.[1] === undefined || found[1].endsWith(":")) return secondColon(fault, text);
  const entry = found[1].replace(/\s+#.*$/, "");
  return missingComma(fault.start + entry.length, text);
}

/** `{ a: b: c }`. */
function secondColon(fault: ParseFault, text: FaultyText): Trap | undefined {
  const colon = /:(?=\s)/.exec(text.lines.text.slice(fault.start, fault.end));
  if (fault.code !== "BLOCK_IN_FLOW" || colon === null) return undefined;
  const at = fault.start + colon.index;
  return {
    rule: "yaml-syntax",
    message: 'a second ": " makes a map inside a plain value',
    hint: "put the value in quotes",
    spot: text.lines.spot(at, at + 1),
    repairs: [{ start: fault.start, end: fault.end, text: "x ", isLoss: true }],
  };
}
