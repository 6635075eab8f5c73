/** A change to a faulty text that lets the parser read on; offsets are those of the text as written. */
export interface Mend {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Whether what the author meant is gone, so that nothing can be said about it. */
  readonly isLoss?: boolean;
}

export function insert(at: number, text: string): Mend {
  return { start: at, end: at, text };
}

/** Takes out what only disturbs. */
export function drop(start: number, end: number): Mend {
  return { start, end, text: "" };
}

/** Puts a plain word in the place of something that cannot be read. */
export function hide(start: number, end: number): Mend {
  return { start, end, text: "x", isLoss: true };
}

/** A text with changes, which still knows where each character came from. */
export class MendedText {
  readonly text: string;
  readonly #mends: readonly Mend[];

  constructor(original: string, mends: readonly Mend[]) {
    this.#mends = mends.toSorted((a, b) => a.start - b.start);
    const parts: string[] = [];
    let done = 0;
    for (const { start, end, text } of this.#mends) {
      parts.push(original.slice(done, start), text);
      done = end;
    }
    this.text = parts.join("") + original.slice(done);
  }

  /** The offset in the text as written. */
  original(offset: number): number {
    let shift = 0;
    for (const { start, end, text } of this.#mends) {
      const from = start + shift;
      if (offset < from) break;
      if (offset < from + text.length) return Math.min(start + offset - from, end);
      shift += text.length - (end - start);
    }
    return offset - shift;
  }
}

/** Whether a change would touch what another one has changed already. */
export function overlaps(mend: Mend, others: readonly Mend[]): boolean {
  return others.some((other) =>
    mend.start === other.start || mend.start < other.end && other.start < mend.end
  );
}
