/** Slips that YAML stumbles over in words of its own, in the words of somebody who made one. */
import type { YAMLError } from "yaml";
import type { Lines, Spot } from "./lines.ts";

export interface Trap {
  readonly rule: string;
  readonly message: string;
  readonly hint?: string;
  readonly spot?: Spot;
}

/** `{{ x }}` and `${{ x }}` inside `{a: …}` or `[…]`: YAML takes the braces for itself. */
export function braceTrap(spot: Spot, lines: Lines, offset: number): Trap | undefined {
  const before = spot.sourceLine.slice(0, spot.place.column + 1);
  const at = before.lastIndexOf("{{");
  if (at === -1) return undefined;
  const close = spot.sourceLine.indexOf("}}", at);
  const end = close === -1 ? spot.sourceLine.length : close + 2;
  const lineStart = offset - (spot.place.column - 1);
  if (spot.sourceLine.charAt(at - 1) !== "$") {
    const inner = spot.sourceLine.slice(at + 2, close === -1 ? undefined : close).trim();
    return {
      rule: "bare-braces",
      message: "{{ }} is a YAML map, not an expression",
      hint: `write "\${{ ${inner} }}"`,
      spot: lines.spot(lineStart + at, lineStart + end),
    };
  }
  return {
    rule: "expression-in-flow",
    message:
      "an expression inside { } or [ ] needs quotes, because YAML takes its braces for a map",
    hint: `write "${spot.sourceLine.slice(at - 1, end)}" with the quotes`,
    spot: lines.spot(lineStart + at - 1, lineStart + end),
  };
}

export function knownTrap(error: YAMLError, spot: Spot, lines: Lines): Trap | undefined {
  const odd = oddBlank(error, lines);
  if (odd !== undefined) return odd;
  switch (error.code) {
    case "TAB_AS_INDENT":
      return {
        rule: "tab-indent",
        message: "a tab is used for indentation",
        hint: "YAML wants spaces; set your editor to insert them",
      };
    case "BLOCK_AS_IMPLICIT_KEY":
      if (!/: /.test(spot.sourceLine.slice(spot.place.column - 1))) return tooDeep(spot, lines);
      return {
        rule: "yaml-syntax",
        message: 'a second ": " in one line makes a map inside a plain value',
        hint: "put the value in quotes, or write it as a block after |",
      };
    case "BAD_SCALAR_START":
      return {
        rule: "yaml-syntax",
        message: `a plain value cannot start with ${spot.sourceLine.charAt(spot.place.column - 1)}`,
        hint: "put the value in quotes",
      };
    case "BAD_DQ_ESCAPE":
      return {
        rule: "yaml-syntax",
        message: "unknown escape in a double-quoted value",
        hint: "use single quotes, or write the backslash twice",
      };
    case "BAD_INDENT":
      if (error.message.startsWith("Flow ")) return openBracket(error, lines);
      if (/^ *-[^ -]/.test(spot.sourceLine)) {
        return {
          rule: "yaml-syntax",
          message: "a dash that starts a list item needs a blank after it",
          hint: `write - ${spot.sourceLine.trim().slice(1)}`,
        };
      }
      return {
        rule: "yaml-syntax",
        message: lowerFirst(error.message),
        hint: "compare the indentation of this line with the lines above",
      };
    case "MULTIPLE_DOCS":
      return {
        rule: "yaml-syntax",
        message: "the file holds more than one document",
        hint: "remove the --- line, or put each document into a file of its own",
      };
    case "UNEXPECTED_TOKEN":
      if (!error.message.startsWith("Block scalar header")) return undefined;
      return {
        rule: "yaml-syntax",
        message: "nothing may follow | or > on its line",
        hint: "put the text on the next line, indented; or in quotes",
      };
    case "MULTILINE_IMPLICIT_KEY":
      return noValue(spot);
    case "MISSING_CHAR":
      if (error.message.startsWith("Implicit map keys")) return noValue(spot);
      if (isNoDash(error)) {
        return {
          rule: "yaml-syntax",
          message: "this line is indented neither like the list items above nor like their keys",
          hint: "give it as many spaces as the line it belongs to",
        };
      }
      return missingChar(error, lines);
    default:
      return undefined;
  }
}

/** An open quote runs to the end of the file; the place to look at is where it opens. */
function missingChar(error: YAMLError, lines: Lines): Trap | undefined {
  const quote = /Missing closing (['"])quote/.exec(error.message)?.[1];
  if (quote === undefined) return undefined;
  const lineStart = lines.text.lastIndexOf("\n", error.pos[0] - 1) + 1;
  const open = lines.text.indexOf(quote, lineStart);
  const at = open === -1 ? lines.text.lastIndexOf(quote) : open;
  return {
    rule: "yaml-syntax",
    message: `the ${quote} that opens here is never closed`,
    hint: `add the closing ${quote}`,
    spot: lines.spot(at, at + 1),
  };
}

/** `run:echo`, `steps` without its colon, or a line that fell out of the block above. */
function noValue(spot: Spot): Trap {
  const words = spot.sourceLine.trim();
  const glued = /^(?:- )?([\w-]+):(\S.*)$/.exec(words);
  if (glued) {
    return {
      rule: "yaml-syntax",
      message: "the colon after a key needs a blank behind it",
      hint: `write ${glued[1]}: ${glued[2]}`,
    };
  }
  const isKey = /^(?:- )?[\w-]+$/.test(words);
  return {
    rule: "yaml-syntax",
    message: "this line is no key with a value",
    hint: isKey
      ? `write ${words}: for a key; text below | must be indented deeper than its key`
      : "write key: value; text below | must be indented deeper than its key",
  };
}

/** A plain value runs on over lines that are indented deeper than its key, keys and all. */
function tooDeep(spot: Spot, lines: Lines): Trap {
  const start = lines.offset({ ...spot.place, line: spot.place.line + 1, column: 1 });
  const next = lines.spot(start, start + 1).sourceLine;
  const indent = next.length - next.trimStart().length;
  return {
    rule: "yaml-syntax",
    message: "this line is indented deeper than the key above, so YAML adds it to the value there",
    hint: "give it as many spaces as the line above",
    spot: lines.spot(start + indent, start + next.length),
  };
}

/** The place to look at is where the bracket opens, not where YAML gives up. */
function openBracket(error: YAMLError, lines: Lines): Trap {
  const [open, close] = error.message.includes("end with a ]") ? ["[", "]"] : ["{", "}"];
  let depth = 0;
  for (let at = error.pos[0] - 1; at >= 0; at--) {
    const char = lines.text.charAt(at);
    if (char === close) depth++;
    else if (char === open && depth-- === 0) {
      return {
        rule: "yaml-syntax",
        message: `the ${open} that opens here is never closed`,
        hint: `add the closing ${close}`,
        spot: lines.spot(at, at + 1),
      };
    }
  }
  return { rule: "yaml-syntax", message: lowerFirst(error.message) };
}

/** Copied out of a web page or a chat; looks like a blank and is none. */
function oddBlank(error: YAMLError, lines: Lines): Trap | undefined {
  const start = Math.min(error.pos[0], Math.max(0, lines.text.length - 1));
  const { place, sourceLine } = lines.spot(start, start + 1);
  const found = /^\s*?([\u00a0\u2000-\u200b\u202f\u3000])/.exec(sourceLine);
  if (found === null) return undefined;
  const at = start - (place.column - 1) + found[0].length - 1;
  return {
    rule: "odd-blank",
    message: "a blank of another kind is used for indentation; YAML wants plain spaces",
    hint: "type the spaces of this line anew; such blanks come with text copied from a web page",
    spot: lines.spot(at, at + 1),
  };
}

export function isNoDash(error: YAMLError): boolean {
  return error.message === "Sequence item without - indicator";
}

export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
