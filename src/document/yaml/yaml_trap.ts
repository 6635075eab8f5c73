/** Slips that YAML stumbles over in words of its own, in the words of somebody who made one. */
import { flowTrap } from "./flow_trap.ts";
import { indentTrap } from "./indent_trap.ts";
import { drop, hide, insert } from "./repair.ts";
import { quoteTrap } from "./quote_trap.ts";
import type { FaultyText, ParseFault, Trap } from "./parse_fault.ts";
import { textTrap } from "./text_trap.ts";

export function trapOf(fault: ParseFault, text: FaultyText): Trap {
  return textTrap(fault, text) ?? noColon(fault, text) ?? quoteTrap(fault, text) ??
    flowTrap(fault, text) ??
    lineTrap(fault, text) ?? indentTrap(fault, text) ?? keyTrap(fault, text) ?? {
    rule: "yaml-syntax",
    message: lowerFirst(fault.message),
    hint: "compare this line with those above; a value with special characters belongs in quotes",
  };
}

/** Quotes that do not end inside the expression. */
function quotedHint(expression: string): string {
  const mark = [`"`, "'"].find((each) => !expression.includes(each));
  return mark === undefined
    ? "write the map on lines of its own, with the expression behind >-"
    : `write ${mark}${expression}${mark} with the quotes`;
}

/** `{{ x }}` and `${{ x }}` inside `{a: …}` or `[…]`: YAML takes the braces for itself. */
export function braceTrap({ spot }: ParseFault, text: FaultyText): Trap | undefined {
  const { lines } = text;
  const line = spot.sourceLine;
  const at = line.slice(0, spot.place.column + 1).lastIndexOf("{{");
  if (at === -1) return undefined;
  const close = line.indexOf("}}", at);
  const end = close === -1 ? line.length : close + 2;
  const lineStart = lines.start(spot.place.line);
  if (line.charAt(at - 1) !== "$") {
    const inner = line.slice(at + 2, close === -1 ? undefined : close).trim();
    return {
      rule: "bare-braces",
      message: "{{ }} is a YAML map, not an expression",
      hint: `write "\${{ ${inner} }}"`,
      spot: lines.spot(lineStart + at, lineStart + end),
      repairs: [hide(lineStart + at, lineStart + end)],
    };
  }
  if (text.openBrackets(lineStart + at - 1).length === 0) return undefined;
  return {
    rule: "expression-in-flow",
    message:
      "an expression inside { } or [ ] needs quotes, because YAML takes its braces for a map",
    hint: quotedHint(line.slice(at - 1, end)),
    spot: lines.spot(lineStart + at - 1, lineStart + end),
    repairs: [hide(lineStart + at - 1, lineStart + end)],
  };
}

/** `env { A: 1 }` and `env:{ A: 1 }`. */
function noColon({ spot }: ParseFault, text: FaultyText): Trap | undefined {
  const { lines } = text;
  const start = lines.start(spot.place.line);
  const found = /^( *(?:- +)*)(\w[\w-]*)(:| +)(?=[[{])/.exec(spot.sourceLine);
  if (found === null || text.openBrackets(start).length > 0) return undefined;
  const [, head = "", key = "", gap = ""] = found;
  const from = start + head.length;
  const end = from + key.length;
  return {
    rule: "yaml-syntax",
    message: gap === ":"
      ? "the colon after a key needs a blank behind it"
      : "the colon after this key is missing",
    hint: `write ${key}: ${spot.sourceLine.slice(head.length + key.length + gap.length).trim()}`,
    spot: lines.spot(from, end),
    repairs: [gap === ":" ? insert(end + 1, " ") : insert(end, ":")],
  };
}

/** Too much on one line. */
function lineTrap(fault: ParseFault, { lines }: FaultyText): Trap | undefined {
  const { sourceLine, place } = fault.spot;
  const end = lines.lineEnd(fault.start);
  if (fault.code === "BLOCK_AS_IMPLICIT_KEY" && fault.message.startsWith("Nested ")) {
    const colon = /: /.exec(sourceLine.slice(place.column - 1));
    if (colon === null) return undefined;
    const at = fault.start + colon.index;
    return {
      rule: "yaml-syntax",
      message: 'a second ": " in one line makes a map inside a plain value',
      hint: "put the value in quotes, or write it as a block after |",
      spot: lines.spot(at, at + 1),
      repairs: [hide(fault.start, end)],
      isLocal: true,
    };
  }
  if (
    fault.message.startsWith("Block scalar header") || fault.message.startsWith("Not a YAML token")
  ) {
    return {
      rule: "yaml-syntax",
      message: "nothing may follow | or > on its line",
      hint: "put the text on the next line, indented; or in quotes",
      repairs: [drop(fault.start, end)],
    };
  }
  if (fault.message.startsWith("Unexpected block-seq-ind") && place.column > 1) {
    const indent = /^ *(?:- +)*/.exec(sourceLine)?.[0].length ?? 0;
    return {
      rule: "yaml-syntax",
      message: "a list cannot start on the line of its key",
      hint: `begin a new line before ${sourceLine.slice(place.column - 1).trim()}`,
      repairs: [insert(fault.start, `\n${" ".repeat(indent + 2)}`)],
    };
  }
  return undefined;
}

/** `run:echo`, `steps` without its colon, or a line that fell out of the block above. */
function keyTrap(fault: ParseFault, { lines }: FaultyText): Trap | undefined {
  const hasNoValue = fault.code === "MULTILINE_IMPLICIT_KEY" ||
    fault.message.startsWith("Implicit map keys");
  if (!hasNoValue) return undefined;
  const { sourceLine, place } = fault.spot;
  const words = sourceLine.trim();
  const start = lines.start(place.line) + sourceLine.search(/\S|$/);
  const glued = /^((?:- )?[\w-]+):(\S.*)$/.exec(words);
  if (glued?.[1] !== undefined) {
    return {
      rule: "yaml-syntax",
      message: "the colon after a key needs a blank behind it",
      hint: `write ${glued[1].replace(/^- /, "")}: ${glued[2]}`,
      repairs: [insert(start + glued[1].length + 1, " ")],
    };
  }
  const isKey = /^(?:- )?[\w-]+$/.test(words);
  return {
    rule: "yaml-syntax",
    message: "this line is no key with a value",
    hint: isKey
      ? `write ${words}: for a key; text below | must be indented deeper than its key`
      : "write key: value; text below | must be indented deeper than its key",
    ...(isKey ? { repairs: [insert(start + words.length, ":")] } : {}),
  };
}

export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
