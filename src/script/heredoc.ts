import type { Refusal } from "./refusal.ts";

/** A here-document: POSIX.1-2017, Shell Command Language, 2.7.4. */
export interface Heredoc {
  /** The line that ends it. */
  readonly end: string;
  /** The end was written in quotes: nothing is replaced in the body, and nothing can be escaped. */
  readonly isRaw: boolean;
  /** `<<-` takes the tabs from the start of every line. */
  readonly dropsTabs: boolean;
  /** Whoever reads the body as code. */
  readonly reader: Refusal | undefined;
}

/** What `<<` and the word after it say. */
export interface HeredocStart extends Omit<Heredoc, "reader"> {
  readonly length: number;
  /** The word goes on behind the text, or holds what no word of an end may hold. */
  readonly isUnclear: boolean;
}

/** Reads `<<END`, `<<-'END'` and the like at the start of `text`. */
export function readHeredocStart(text: string): HeredocStart {
  const dropsTabs = text.startsWith("<<-");
  let at = dropsTabs ? 3 : 2;
  while (text.charAt(at) === " " || text.charAt(at) === "\t") at++;
  let end = "";
  let quote = "";
  let isRaw = false;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote !== "") {
      if (char === quote) quote = "";
      else end += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      isRaw = true;
    } else if (char === "\\") {
      isRaw = true;
      end += text.charAt(++at);
    } else if (/[\s;&|<>()]/.test(char)) break;
    else end += char;
  }
  const isUnclear = at >= text.length || end === "" || /[\n\\$`"]/.test(end);
  return { end, isRaw, dropsTabs, length: at, isUnclear };
}

/** Whether a line of the script ends the here-document. */
export function isEnd(line: string, { end, dropsTabs }: Omit<Heredoc, "reader">): boolean {
  return (dropsTabs ? line.replace(/^\t+/, "") : line) === end;
}
