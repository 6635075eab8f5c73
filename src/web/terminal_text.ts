/** What commands print, as lines of HTML: colours stay, everything else that a terminal would obey goes. */
import { Markup, markup } from "./markup.ts";

/** ECMA-48: CSI sequences, strings such as OSC, other escapes. */
const SEQUENCES =
  // deno-lint-ignore no-control-regex -- finding them is the purpose
  /(?:\x1b\[|\x9b)([0-?]*)([ -/]*[@-~])|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?/g;
/** A line longer than this is cut: nobody reads it in a browser. */
const LONGEST_LINE = 4000;

/** Select Graphic Rendition; what is not here is shown plain. */
interface Look {
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  /** 0–15 of the usual palette. */
  readonly ink: number | undefined;
}

const PLAIN: Look = { bold: false, dim: false, italic: false, underline: false, ink: undefined };

/** Colours go on from line to line, as they do in a terminal. */
export class TerminalText {
  #look = PLAIN;

  /** Lines without their ends. */
  lines(lines: readonly string[]): Markup {
    return new Markup(lines.map((line) => `<div>${this.#line(line)}</div>`).join(""));
  }

  /** One that may yet go on: what it changes does not count for those behind it. */
  openLine(line: string): Markup {
    const before = this.#look;
    const shown = this.#line(line);
    this.#look = before;
    return new Markup(shown);
  }

  #line(whole: string): string {
    const line = lastWriting(whole);
    const cut = line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
    let shown = "";
    let from = 0;
    for (const found of cut.matchAll(SEQUENCES)) {
      shown += this.#span(cut.slice(from, found.index));
      from = found.index + found[0].length;
      if (found[2] === "m") this.#look = looked(this.#look, found[1] ?? "");
    }
    return shown + this.#span(cut.slice(from));
  }

  #span(text: string): string {
    if (text === "") return "";
    const { ink, ...flags } = this.#look;
    const names = Object.entries(flags).filter(([, on]) => on).map(([name]) => name);
    if (ink !== undefined) names.push(`ink-${ink}`);
    const inner = markup`${text}`;
    return names.length === 0 ? inner.text : `<span class="${names.join(" ")}">${inner}</span>`;
  }
}

/** Progress bars write over their line after a `\r`; only the last writing counts. */
function lastWriting(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf("\r") + 1);
}

function looked(before: Look, parameters: string): Look {
  let look = before;
  const numbers = parameters.split(/[;:]/).map(Number);
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at] ?? 0;
    if (number === 0) look = PLAIN;
    else if (number === 1) look = { ...look, bold: true };
    else if (number === 2) look = { ...look, dim: true };
    else if (number === 3) look = { ...look, italic: true };
    else if (number === 4) look = { ...look, underline: true };
    else if (number === 22) look = { ...look, bold: false, dim: false };
    else if (number === 23) look = { ...look, italic: false };
    else if (number === 24) look = { ...look, underline: false };
    else if (number >= 30 && number <= 37) look = { ...look, ink: number - 30 };
    else if (number >= 90 && number <= 97) look = { ...look, ink: number - 82 };
    else if (number === 39) look = { ...look, ink: undefined };
    // `38;5;n` and `38;2;r;g;b`: their numbers are no looks of their own.
    else if (number === 38 || number === 48) {
      const isPalette = numbers[at + 1] === 5;
      const index = numbers[at + 2] ?? 16;
      if (number === 38) look = { ...look, ink: isPalette && index < 16 ? index : undefined };
      at += isPalette ? 2 : 4;
    }
  }
  return look;
}
