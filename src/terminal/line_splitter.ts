/** Longest piece of one line that is kept; what follows in that line is counted and dropped. */
const LONGEST_LINE = 16_384;
const NEWLINE = 0x0a;

export interface LineSplitterOptions {
  /** Only the last so many lines of each push are wanted; the others are not even decoded. */
  readonly last?: number;
}

/** Cuts one byte stream into lines of text, however the chunks fall. */
export class LineSplitter {
  readonly #last: number;
  #decoder = new TextDecoder();
  #rest = "";
  #dropped = 0;

  constructor(options: LineSplitterOptions = {}) {
    this.#last = options.last ?? Number.POSITIVE_INFINITY;
  }

  /** Lines that are complete now, without their newlines. */
  push(bytes: Uint8Array): string[] {
    const wanted = this.#skipTo(bytes);
    const text = this.#decoder.decode(wanted, { stream: true });
    const pieces = text.split("\n");
    if (pieces.length === 1) {
      this.#hold(pieces[0] ?? "");
      return [];
    }
    const lines = pieces.slice(0, -1);
    this.#hold(lines[0] ?? "");
    lines[0] = this.#take();
    const overwrites = text.includes("\r");
    for (let i = 1; i < lines.length; i++) lines[i] = bounded(lines[i] ?? "", { overwrites });
    this.#hold(pieces.at(-1) ?? "");
    return lines;
  }

  /** The unfinished line so far, such as a prompt or a progress bar. */
  get partial(): string {
    return this.#rest;
  }

  /** The line that had no newline, where there is one. */
  end(): string[] {
    this.#hold(this.#decoder.decode());
    return this.#rest === "" ? [] : [this.#take()];
  }

  /** A full chunk of lines of which only the last are wanted starts later. */
  #skipTo(bytes: Uint8Array): Uint8Array {
    if (this.#last === Number.POSITIVE_INFINITY) return bytes;
    let at = bytes.length;
    for (let count = 0; count <= this.#last; count++) {
      at = at <= 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1);
      if (at < 0) return bytes;
    }
    this.#decoder = new TextDecoder();
    this.#forget();
    return bytes.subarray(at + 1);
  }

  #hold(text: string): void {
    const piece = lastOverwrite(text);
    // Whatever follows a carriage return writes over what was there.
    if (piece !== text || (piece !== "" && this.#rest.endsWith("\r"))) this.#forget();
    const room = LONGEST_LINE - this.#rest.length;
    this.#rest += piece.length > room ? piece.slice(0, room) : piece;
    this.#dropped += Math.max(0, piece.length - room);
  }

  #take(): string {
    const line = this.#dropped > 0 ? marked(this.#rest, this.#dropped) : this.#rest;
    this.#forget();
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }

  #forget(): void {
    this.#rest = "";
    this.#dropped = 0;
  }
}

/**
 * Progress bars write over their line after a `\r`; only the last writing counts. One at the very end
 * belongs to a line ending, or to what the next chunk brings.
 */
function lastOverwrite(text: string): string {
  const at = text.lastIndexOf("\r", text.length - 2);
  return at < 0 || text.length < 2 ? text : text.slice(at + 1);
}

/** Looking for carriage returns in every line is spared where the whole text has none. */
function bounded(whole: string, { overwrites }: { readonly overwrites: boolean }): string {
  const shown = overwrites ? lastOverwrite(whole) : whole;
  const line = overwrites && shown.endsWith("\r") ? shown.slice(0, -1) : shown;
  if (line.length <= LONGEST_LINE) return line;
  return marked(line.slice(0, LONGEST_LINE), line.length - LONGEST_LINE);
}

function marked(line: string, dropped: number): string {
  return `${line}… (${dropped} more characters, whole in the log)`;
}
