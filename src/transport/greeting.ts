/** What start-up files of an account print before a program of ours speaks on a channel of its own. */
import { concatBytes } from "../core/bytes.ts";
import { randomWord } from "../core/ids.ts";

const NONE = new Uint8Array();

/** The program says first where the greeting ends, by a word that nobody else knows. */
export class Greeting {
  readonly #mark = `grid-${randomWord(20)}:`;
  readonly #bytes = new TextEncoder().encode(this.#mark);
  /** The end of the greeting so far, which may be the beginning of the mark; undefined where it is over. */
  #last: Uint8Array | undefined = NONE;

  /** For a POSIX shell, before all else. */
  get ending(): string {
    return `printf %s ${this.#mark}\n`;
  }

  /** Of the next bytes of its stdout those that the program itself has said. */
  past(bytes: Uint8Array): Uint8Array {
    if (this.#last === undefined) return bytes;
    const all = concatBytes([this.#last, bytes]);
    const end = endOf(all, this.#bytes);
    this.#last = end < 0 ? all.slice(1 - this.#bytes.length) : undefined;
    return end < 0 ? NONE : all.subarray(end);
  }

  /** The same of all that came. */
  pastText(text: string): string {
    const at = text.indexOf(this.#mark);
    return at < 0 ? "" : text.slice(at + this.#mark.length);
  }
}

/** Where `mark` ends in `bytes`; -1 where it is not there. */
function endOf(bytes: Uint8Array, mark: Uint8Array): number {
  const [first = 0] = mark;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (mark.every((byte, index) => bytes[at + index] === byte)) return at + mark.length;
  }
  return -1;
}
