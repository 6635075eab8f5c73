/** A change to a faulty text that lets the parser read on; offsets are those of the text as written. */
export interface Repair {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Whether what the author meant is gone, so that nothing can be said about it. */
  readonly isLoss?: boolean;
}

export function insert(at: number, text: string): Repair {
  return { start: at, end: at, text };
}

/** Takes out what only disturbs. */
export function drop(start: number, end: number): Repair {
  return { start, end, text: "" };
}

/** Puts a plain word in the place of something that cannot be read. */
export function hide(start: number, end: number): Repair {
  return { start, end, text: "x", isLoss: true };
}

/** A text with changes, which still knows where each character came from. */
export class RepairedText {
  readonly text: string;
  readonly #repairs: readonly Repair[];

  constructor(original: string, repairs: readonly Repair[]) {
    this.#repairs = repairs.toSorted((a, b) => a.start - b.start);
    const parts: string[] = [];
    let done = 0;
    for (const { start, end, text } of this.#repairs) {
      parts.push(original.slice(done, start), text);
      done = end;
    }
    this.text = parts.join("") + original.slice(done);
  }

  /** The offset in the text as written. */
  original(offset: number): number {
    let shift = 0;
    for (const { start, end, text } of this.#repairs) {
      const from = start + shift;
      if (offset < from) break;
      if (offset < from + text.length) return Math.min(start + offset - from, end);
      shift += text.length - (end - start);
    }
    return offset - shift;
  }
}

/** Whether a change would touch what another one has changed already. */
export function overlaps(repair: Repair, others: readonly Repair[]): boolean {
  return others.some((other) =>
    repair.start === other.start || repair.start < other.end && other.start < repair.end
  );
}
