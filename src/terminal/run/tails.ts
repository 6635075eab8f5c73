import type { OutputChunk } from "../../engine/reader.ts";
import { LineSplitter } from "../line_splitter.ts";

/** Lines of a failed step that the summary shows. */
export const TAIL_LINES = 30;

interface Tail {
  readonly attempt: number;
  readonly splitters: Record<OutputChunk["stream"], LineSplitter>;
  lines: string[];
}

/** Remembers the last lines that the last attempt of every step printed, and no more. */
export class Tails {
  readonly #tails = new Map<string, Tail>();

  push(chunk: OutputChunk): void {
    const tail = this.#of(chunk);
    const lines = tail.splitters[chunk.stream].push(chunk.bytes);
    if (lines.length > 0) tail.lines = [...tail.lines, ...lines].slice(-TAIL_LINES);
  }

  /** Lines in the order they came, unfinished ones last; not yet made harmless. */
  lines(step: string): readonly string[] {
    const tail = this.#tails.get(step);
    if (!tail) return [];
    const open = Object.values(tail.splitters).map((splitter) => splitter.partial);
    return [...tail.lines, ...open.filter((line) => line !== "")].slice(-TAIL_LINES);
  }

  /** What the step is doing just now: its last line that holds anything. */
  lastLine(step: string): string | undefined {
    return this.lines(step).findLast((line) => line.trim() !== "");
  }

  /** A step that went well needs no tail. */
  forget(step: string): void {
    this.#tails.delete(step);
  }

  #of(chunk: OutputChunk): Tail {
    const known = this.#tails.get(chunk.step);
    if (known?.attempt === chunk.attempt) return known;
    const options = { last: TAIL_LINES };
    const tail: Tail = {
      attempt: chunk.attempt,
      splitters: { stdout: new LineSplitter(options), stderr: new LineSplitter(options) },
      lines: [],
    };
    this.#tails.set(chunk.step, tail);
    return tail;
  }
}
