/** How many columns a text takes in a terminal, and cutting it to fit. */

// deno-lint-ignore no-control-regex -- colours are control sequences
const COLOURS = /\x1b\[[0-9;]*m/g;
const ASCII = /^[\x20-\x7e]*$/;
/** One column each, without a look at the tables: Latin, dashes and quotes, arrows, boxes, bars, ticks and crosses. */
const NARROW =
  /^[\x20-\x7e\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u2319\u2500-\u25fc\u2713-\u2718]$/;
/** What several characters may make one symbol of: joiners, selectors, skins, flags, keycaps. */
const JOINS = /[\u200d\ufe0e\ufe0f\u20e3\u{1f3fb}-\u{1f3ff}\u{1f1e6}-\u{1f1ff}]/u;

/** Made at first use: the program ends before V8 would have made them, where all that is shown is narrow. */
const tables = {
  zeroWidth: once(() =>
    /^[[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}\p{Cf}]--[\u0600-\u0605\u06dd\u0890\u0891\u08e2\u{110bd}\u{110cd}]]$/v
  ),
  /** Scripts and symbols of East Asian Width W and F, in the large blocks that matter. */
  wide: once(() =>
    /^[\p{Emoji_Presentation}\u1100-\u115e\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\u3247\u3250-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe1f\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{1bbff}\u{1d300}-\u{1d376}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]$/v
  ),
  emoji: once(() =>
    /^(?:\p{RGI_Emoji}|\p{Regional_Indicator}|[\d#*]\ufe0f|.+\u200d\p{Extended_Pictographic})/v
  ),
  /** An emoji that asks to be drawn as text. */
  asText: once(() => /^[\p{Emoji_Presentation}--[\u{10000}-\u{10ffff}]]\ufe0e/v),
};

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => made ??= make();
}

let clusters: Intl.Segmenter | undefined;

/** As `string-width` has it, whose loading would take longer than a short command. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const symbol of symbolsOf(stripColours(text))) width += symbolWidth(symbol);
  return width;
}

/** What a terminal draws as one: mostly a character each. */
function symbolsOf(text: string): Iterable<string> {
  if (!JOINS.test(text)) return text;
  clusters ??= new Intl.Segmenter();
  return Iterator.from(clusters.segment(text)).map(({ segment }) => segment);
}

function symbolWidth(symbol: string): number {
  const [first = "", ...more] = symbol;
  // What is an emoji by itself is among the wide ones.
  if (more.length === 0) return charWidth(first);
  if (tables.asText().test(symbol)) return 1;
  if (tables.emoji().test(symbol)) return 2;
  return more.reduce((width, char) => width + charWidth(char), charWidth(first));
}

export function charWidth(char: string): number {
  if (NARROW.test(char)) return 1;
  if (tables.zeroWidth().test(char)) return 0;
  return tables.wide().test(char) ? 2 : 1;
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
  for (const symbol of symbolsOf(stripColours(text))) {
    used += symbolWidth(symbol);
    if (used > width - 1) break;
    result += symbol;
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
