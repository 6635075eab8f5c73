/** How many columns a text takes in a terminal, and cutting it to fit. */

// deno-lint-ignore no-control-regex -- colours are control sequences
const COLOURS = /\x1b\[[0-9;:]*m/g;
const ASCII = /^[\x20-\x7e]*$/;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** Scripts and symbols of East Asian Width W and F, in the large blocks that matter. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const char of text.replaceAll(COLOURS, "")) width += charWidth(char);
  return width;
}

export function charWidth(char: string): number {
  if (ZERO_WIDTH.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}

export function stripColours(text: string): string {
  return text.replaceAll(COLOURS, "");
}

/** Text without colours, cut to `width` columns with `…` where something is missing. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 0) return "";
  let result = "";
  let used = 0;
  for (const char of stripColours(text)) {
    if (used + charWidth(char) > width - 1) break;
    used += charWidth(char);
    result += char;
  }
  return `${result}…`;
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}

/** Breaks a plain text at blanks into lines of at most `width` columns. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/ +/)) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Columns by which the lines after the first are set in further. */
const HANG = 2;

/** The same, set in by `indent`, and what follows the first line a little further. */
export function wrapHanging(
  text: string,
  { width, indent }: { readonly width: number; readonly indent: number },
): string[] {
  const [first = "", ...more] = wrap(text, width - indent);
  const rest = more.length === 0 ? [] : wrap(more.join(" "), width - indent - HANG);
  const blanks = " ".repeat(indent);
  return [`${blanks}${first}`, ...rest.map((line) => `${blanks}${" ".repeat(HANG)}${line}`)];
}
