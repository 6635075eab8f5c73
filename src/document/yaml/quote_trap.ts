import { drop, hide, insert, type Repair } from "./repair.ts";
import { type FaultyText, keyOn, type ParseFault, type Trap } from "./parse_fault.ts";

/** Slips around quotes, and values that start with a character YAML keeps for itself. */
export function quoteTrap(fault: ParseFault, text: FaultyText): Trap | undefined {
  switch (fault.code) {
    case "MISSING_CHAR":
      return openQuote(fault, text);
    case "UNEXPECTED_TOKEN":
      return / at node end$| token$/.test(fault.message) ? goesOn(fault, text) : undefined;
    case "BAD_DQ_ESCAPE":
      return {
        rule: "yaml-syntax",
        message: "unknown escape in a double-quoted value",
        hint: "use single quotes, or write the backslash twice",
        repairs: [{ start: fault.start, end: fault.start + 1, text: "x" }],
        isLocal: true,
      };
    case "BAD_SCALAR_START":
      return badStart(fault, text);
    case "BAD_ALIAS":
      return noName(fault, text);
    default:
      return undefined;
  }
}

/** An open quote runs to the end of the file; the place to look at is where it opens. */
function openQuote(fault: ParseFault, text: FaultyText): Trap | undefined {
  const quote = /^Missing closing (['"])quote/.exec(fault.message)?.[1];
  if (quote === undefined) return undefined;
  const token = text.tokens.findLast((token) =>
    token.text.startsWith(quote) && token.start <= fault.start
  );
  if (token === undefined) return undefined;
  const { lines } = text;
  // Brackets at the end of the line were rather meant to stand behind the quote.
  const line = lines.text.slice(token.start, lines.lineEnd(token.start));
  const brackets = text.openBrackets(token.start).length > 0 ? /\s*[\]},]*\s*$/ : /\s*$/;
  return {
    rule: "yaml-syntax",
    message: `the ${quote} that opens here is never closed`,
    hint: `add the closing ${quote}`,
    spot: lines.spot(token.start, token.start + 1),
    repairs: [insert(token.start + line.replace(brackets, "").length, quote)],
  };
}

/** `'it's fine'`, `"a b" --flag`, `[ -f x ] && y`. */
function goesOn(fault: ParseFault, text: FaultyText): Trap | undefined {
  const { lines } = text;
  const before = text.inkBefore(fault.start);
  const closing = before?.text.at(-1) ?? "";
  const isInside = before !== undefined && before.start + before.text.length === fault.start;
  const isFlow = text.openBrackets(fault.start).length > 0;
  if (!/["'\]}]/.test(closing) || isFlow && !isInside) return undefined;
  const end = lines.lineEnd(fault.start);
  const common = {
    rule: "yaml-syntax",
    spot: lines.spot(fault.start, isFlow ? fault.start + 1 : end),
    repairs: [hideValue(fault, text)],
    isLocal: !isFlow,
  };
  const block = `write it as a block: ${keyOn(fault.spot.sourceLine)}: | with the text below`;
  if (closing === "]" || closing === "}") {
    const what = closing === "]" ? "list" : "map";
    return { ...common, message: `the ${what} ends here, but the value goes on`, hint: block };
  }
  const escaped = `write ${closing === "'" ? "''" : '\\"'} for a ${closing} inside the quotes`;
  return {
    ...common,
    message: "the quote ends here, but the value goes on",
    hint: isFlow ? escaped : isInside ? `${escaped}, or ${block}` : block,
  };
}

/** From the first character of the value, where that is on the same line. */
function hideValue(fault: ParseFault, text: FaultyText): Repair {
  const { lines } = text;
  const lineStart = lines.start(fault.spot.place.line);
  const end = lines.lineEnd(fault.start);
  const open = text.openBrackets(fault.start);
  if (open.length > 0) {
    const value = text.inkBefore(fault.start)?.start ?? fault.start;
    const rest = /^[^,\]}]*/.exec(lines.text.slice(fault.start, end))?.[0] ?? "";
    return hide(Math.max(value, lineStart), fault.start + rest.length);
  }
  const head = /^\s*(?:- +)*(?:[\w-]+: +)?/.exec(fault.spot.sourceLine)?.[0] ?? "";
  const isOnLine = head.trim() !== "" && lineStart + head.length < fault.start;
  return isOnLine ? hide(lineStart + head.length, end) : drop(fault.start, end);
}

/** `run: %x`, and `{% if x %}` of other tools. */
function badStart(fault: ParseFault, text: FaultyText): Trap {
  const { lines } = text;
  const char = lines.text.charAt(fault.start);
  const end = lines.lineEnd(fault.start);
  if (char === "%" && lines.text.charAt(fault.start - 1) === "{") {
    return {
      rule: "bare-braces",
      message: "{% %} has no meaning here",
      hint: "a step runs under the condition of its if:; only ${{ }} is replaced",
      spot: lines.spot(fault.start - 1, end),
      repairs: [drop(fault.start - 1, end)],
    };
  }
  const isFlow = text.openBrackets(fault.start).length > 0;
  const value = lines.text.slice(fault.start, end);
  const length = isFlow ? /^.[^,\]}]*/.exec(value)?.[0].trimEnd().length ?? 1 : value.length;
  return {
    rule: "yaml-syntax",
    message: `a plain value cannot start with ${char}`,
    hint: "put the value in quotes",
    repairs: [hide(fault.start, fault.start + length)],
  };
}

/** `run: &` and `* id: a`: YAML waits for the name of an anchor. */
function noName(fault: ParseFault, text: FaultyText): Trap | undefined {
  const { lines } = text;
  const char = lines.text.charAt(fault.start);
  if (char !== "&" && char !== "*") return undefined;
  const { sourceLine, place } = fault.spot;
  if (char === "*" && sourceLine.slice(0, place.column - 1).trim() === "") {
    return starItem(fault, text);
  }
  return {
    rule: "yaml-syntax",
    message: `${char} ${
      char === "&" ? "starts an anchor" : "refers to an anchor"
    }, but no name follows`,
    hint: "put the value in quotes",
    repairs: [hide(fault.start, lines.lineEnd(fault.start))],
  };
}

/** Somebody wrote the whole list so; one report is enough. */
function starItem({ start, spot }: ParseFault, { lines }: FaultyText): Trap {
  const stars = lines.text.slice(start).matchAll(/(?<=^ *)\*(?= )/gm);
  return {
    rule: "yaml-syntax",
    message: "a list item starts with -, not with *",
    hint: `write - ${spot.sourceLine.trim().slice(1).trim()}`,
    repairs: [...stars].map(({ index }) => ({
      start: start + index,
      end: start + index + 1,
      text: "-",
    })),
  };
}
