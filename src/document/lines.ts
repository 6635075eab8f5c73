import type { Place } from "../core/errors.ts";

/** A stretch of a file as a diagnostic shows it. */
export interface Spot {
  readonly place: Place;
  /** Columns the caret covers, at least 1; never past the end of the line. */
  readonly length: number;
  readonly sourceLine: string;
}

/** Offsets of one text as lines and columns. */
export class Lines {
  readonly #starts: number[] = [0];

  constructor(readonly file: string, readonly text: string) {
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  place(offset: number): Place {
    const index = this.#lineAt(offset);
    return { file: this.file, line: index + 1, column: offset - this.#start(index) + 1 };
  }

  offset(place: Place): number {
    return this.#start(place.line - 1) + place.column - 1;
  }

  /** From `start` up to `end`, cut at the end of the line where `start` lies. */
  spot(start: number, end: number): Spot {
    const index = this.#lineAt(start);
    const lineStart = this.#start(index);
    const next = this.#starts[index + 1];
    const raw = this.text.slice(lineStart, next === undefined ? undefined : next - 1);
    const sourceLine = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    const lineEnd = lineStart + sourceLine.length;
    return {
      place: { file: this.file, line: index + 1, column: start - lineStart + 1 },
      length: Math.max(1, Math.min(end, lineEnd) - start),
      sourceLine,
    };
  }

  /** Number of the last line. */
  get count(): number {
    return this.#starts.length;
  }

  /** Offset of the first character of a line; lines count from 1. */
  start(line: number): number {
    return this.#start(line - 1);
  }

  /** A whole line without its end. */
  line(line: number): string {
    const start = this.start(line);
    return this.spot(start, start).sourceLine;
  }

  /** Offset of the last character of the line that holds `offset`, plus one. */
  lineEnd(offset: number): number {
    const { line } = this.place(offset);
    return this.start(line) + this.line(line).length;
  }

  #start(index: number): number {
    return this.#starts[index] ?? 0;
  }

  /** Index of the last line that starts at or before `offset`. */
  #lineAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#start(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
