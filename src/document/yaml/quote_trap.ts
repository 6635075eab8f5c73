import { drop, hide, insert, type Mend } from "./repair.ts";
import { type FaultyText, keyOn, type Slip, type Trap } from "./parse_fault.ts";

/** Slips around quotes, and values that start with a character YAML keeps for itself. */
export function quoteTrap(slip: Slip, text: FaultyText): Trap | undefined {
  switch (slip.code) {
    case "MISSING_CHAR":
      return openQuote(slip, text);
    case "UNEXPECTED_TOKEN":
      return / at node end$| token$/.test(slip.message) ? goesOn(slip, text) : undefined;
    case "BAD_DQ_ESCAPE":
      return {
        rule: "yaml-syntax",
        message: "unknown escape in a double-quoted value",
        hint: "use single quotes, or write the backslash twice",
        mends: [{ start: slip.start, end: slip.start + 1, text: "x" }],
        isLocal: true,
      };
    case "BAD_SCALAR_START":
      return badStart(slip, text);
    case "BAD_ALIAS":
      return noName(slip, text);
    default:
      return undefined;
  }
}

/** An open quote runs to the end of the file; the place to look at is where it opens. */
function openQuote(slip: Slip, text: FaultyText): Trap | undefined {
  const quote = /^Missing closing (['"])quote/.exec(slip.message)?.[1];
  if (quote === undefined) return undefined;
  const token = text.tokens.findLast((token) =>
    token.text.startsWith(quote) && token.start <= slip.start
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
    mends: [insert(token.start + line.replace(brackets, "").length, quote)],
  };
}

/** `'it's fine'`, `"a b" --flag`, `[ -f x ] && y`. */
function goesOn(slip: Slip, text: FaultyText): Trap | undefined {
  const { lines } = text;
  const before = text.inkBefore(slip.start);
  const closing = before?.text.at(-1) ?? "";
  const isInside = before !== undefined && before.start + before.text.length === slip.start;
  const isFlow = text.openBrackets(slip.start).length > 0;
  if (!/["'\]}]/.test(closing) || isFlow && !isInside) return undefined;
  const end = lines.lineEnd(slip.start);
  const common = {
    rule: "yaml-syntax",
    spot: lines.spot(slip.start, isFlow ? slip.start + 1 : end),
    mends: [hideValue(slip, text)],
    isLocal: !isFlow,
  };
  const block = `write it as a block: ${keyOn(slip.spot.sourceLine)}: | with the text below`;
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
function hideValue(slip: Slip, text: FaultyText): Mend {
  const { lines } = text;
  const lineStart = lines.start(slip.spot.place.line);
  const end = lines.lineEnd(slip.start);
  const open = text.openBrackets(slip.start);
  if (open.length > 0) {
    const value = text.inkBefore(slip.start)?.start ?? slip.start;
    const rest = /^[^,\]}]*/.exec(lines.text.slice(slip.start, end))?.[0] ?? "";
    return hide(Math.max(value, lineStart), slip.start + rest.length);
  }
  const head = /^\s*(?:- +)*(?:[\w-]+: +)?/.exec(slip.spot.sourceLine)?.[0] ?? "";
  const isOnLine = head.trim() !== "" && lineStart + head.length < slip.start;
  return isOnLine ? hide(lineStart + head.length, end) : drop(slip.start, end);
}

/** `run: %x`, and `{% if x %}` of other tools. */
function badStart(slip: Slip, text: FaultyText): Trap {
  const { lines } = text;
  const char = lines.text.charAt(slip.start);
  const end = lines.lineEnd(slip.start);
  if (char === "%" && lines.text.charAt(slip.start - 1) === "{") {
    return {
      rule: "bare-braces",
      message: "{% %} has no meaning here",
      hint: "a step runs under the condition of its if:; only ${{ }} is replaced",
      spot: lines.spot(slip.start - 1, end),
      mends: [drop(slip.start - 1, end)],
    };
  }
  const isFlow = text.openBrackets(slip.start).length > 0;
  const value = lines.text.slice(slip.start, end);
  const length = isFlow ? /^.[^,\]}]*/.exec(value)?.[0].trimEnd().length ?? 1 : value.length;
  return {
    rule: "yaml-syntax",
    message: `a plain value cannot start with ${char}`,
    hint: "put the value in quotes",
    mends: [hide(slip.start, slip.start + length)],
  };
}

/** `run: &` and `* id: a`: YAML waits for the name of an anchor. */
function noName(slip: Slip, text: FaultyText): Trap | undefined {
  const { lines } = text;
  const char = lines.text.charAt(slip.start);
  if (char !== "&" && char !== "*") return undefined;
  const { sourceLine, place } = slip.spot;
  if (char === "*" && sourceLine.slice(0, place.column - 1).trim() === "") {
    return starItem(slip, text);
  }
  return {
    rule: "yaml-syntax",
    message: `${char} ${
      char === "&" ? "starts an anchor" : "refers to an anchor"
    }, but no name follows`,
    hint: "put the value in quotes",
    mends: [hide(slip.start, lines.lineEnd(slip.start))],
  };
}

/** Somebody wrote the whole list so; one report is enough. */
function starItem({ start, spot }: Slip, { lines }: FaultyText): Trap {
  const stars = lines.text.slice(start).matchAll(/(?<=^ *)\*(?= )/gm);
  return {
    rule: "yaml-syntax",
    message: "a list item starts with -, not with *",
    hint: `write - ${spot.sourceLine.trim().slice(1).trim()}`,
    mends: [...stars].map(({ index }) => ({
      start: start + index,
      end: start + index + 1,
      text: "-",
    })),
  };
}
